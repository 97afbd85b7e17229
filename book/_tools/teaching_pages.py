"""Write what pages include and what follows from the lessons: timings, wrong answers, the list of modules."""

import contextlib
import importlib.util
import io
import json
import re
import sys
from importlib import import_module
from pathlib import Path

from api_pages import PACKAGE, modules

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "book/_build/generated"
READING = re.compile(r"\*?Reading: (\d+) minutes")
STARS = re.compile(r"^\*\*(?:Exercise )?(★+) ", re.M)
STAR_MINUTES = {1: 10, 2: 20, 3: 40}
NO_SECTIONS = {"References", "Exercises"}


def write_teaching_pages() -> None:
    """Write the three parts that pages include."""
    GENERATED.mkdir(parents=True, exist_ok=True)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests/helpers")]
    parts = {"timings.md": timings(), "wrong_answers.md": wrong_answers(), "modules.md": module_table()}
    for name, text in parts.items():
        (GENERATED / name).write_text(text + "\n", encoding="utf-8")


def module_table() -> str:
    """One row a module, linked to its page."""
    rows = [f"| [`{name}`](api/{name}.md) | {_cell(text)} |" for name, text in modules().items() if name != PACKAGE]
    return "\n".join(["| module | what it does |", "|---|---|", *rows])


def timings() -> str:
    """For every lesson a table of its sections with minutes."""
    return "\n\n".join(lesson_table(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb")))


def lesson_table(path: Path) -> str:
    """The sections of one lesson; the stated reading time is shared out by words and lines of code."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    weights, title, section, stars = {}, "", "Opening", ""
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            title = title or source.partition("\n")[0].lstrip("# ")
            heading = re.search(r"^## (.+)", source, re.M)
            section = heading[1] if heading else section
            stars += "".join(mark + " " for mark in STARS.findall(source))
        if not {"proof", "exercise", "solution"} & set(cell["metadata"].get("tags", [])):
            weights[section] = weights.get(section, 0) + weight(cell["cell_type"], source)
    minutes = int(READING.search("".join("".join(c["source"]) for c in cells))[1])
    read = {name: size for name, size in weights.items() if name not in NO_SECTIONS}
    rows = [f"| {_cell(name)} | {max(1, round(minutes * size / sum(read.values())))} |" for name, size in read.items()]
    marks = stars.split()
    extra = f"| Exercises: {', '.join(marks)} | {sum(STAR_MINUTES[len(mark)] for mark in marks)} |"
    head = f"**[{title}](../notebooks/{path.name})**, stated reading time {minutes} minutes"
    return "\n".join([head, "", "| section | minutes |", "|---|---|", *rows, *([extra] if marks else [])])


def weight(kind: str, source: str) -> float:
    """The minutes that an attentive reader needs for a cell: words of prose, or lines of code."""
    rule = import_module("lesson_checks")
    if kind == "markdown":
        return len(source.split()) / rule.WORDS_A_MINUTE
    return rule.SECONDS_A_LINE / 60 * len([line for line in source.splitlines() if line.strip()])


def wrong_answers() -> str:
    """For every lesson a table of its exercises: the mistakes that the tests know, and what the check says to each."""
    parts = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        lesson = re.search(r"musegen_lib\.lessons\.exercises\.(\w+) import check", text)
        if lesson is None:
            continue
        check = import_module(f"musegen_lib.lessons.exercises.{lesson[1]}").check
        rows = [row(check, *case) for case in known_cases(lesson[1]) if f"check.{case[0]}(" in text]
        title = json.loads(text)["cells"][0]["source"][0].strip("# \n")
        head = [f"### {title}", "", "| exercise | a wrong answer, and what the check says |", "|---|---|"]
        parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts)


def known_cases(lesson: str):
    """The wrong answers that the tests of a lesson's exercises hold."""
    file = ROOT / f"tests/lessons/exercises/test_{lesson}.py"
    return list(cases(load(file if file.is_file() else ROOT / "tests/lessons/test_check.py")))


def row(check, name: str, mistake: str, answer) -> str:
    """One row of the table."""
    return f"| `{name}` | {f'**{_cell(mistake)}**: ' if mistake else ''}{_cell(said(check, name, answer))} |"


def cases(module):
    """Yield (exercise, mistake in words, wrong answer) from either form in which tests hold them."""
    if isinstance(module.WRONG, dict):
        for name, mistakes in module.WRONG.items():
            yield from ((name, mistake, answer) for mistake, (answer, _) in mistakes.items())
    else:
        for name, answer, _ in module.WRONG:
            yield name, "", answer


def said(check, name: str, answer) -> str:
    """What the check prints to a first wrong answer, without the hint."""
    entry = getattr(check, name)
    fresh = type(entry)(name, entry.find_fault, entry.hints)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        fresh(answer)
    return out.getvalue().split("\n")[0].removeprefix(f"{name}: not yet: ")


def load(path: Path):
    """Import a test file by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
