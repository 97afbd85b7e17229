"""Pages of the book that quote what lessons recorded: templates in book/_templates, filled from stored outputs.

A template holds `{{ 00_first_music nats_markov }}` where a value belongs (or `nats_markov.value`, `.spread`, `.over`,
`.unit`, `.full`), and `{{ row C3 02_gan }}` for the last three cells of a row: lesson, verdict, values. What a lesson
that exists has not recorded is a fault; what a lesson still to come will record is "not yet measured".
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import replacing
from musegen_lib.lessons.notebooks import read
from musegen_lib.lessons.recording import KEY, Value, Verdict

if TYPE_CHECKING:
    from nbformat import NotebookNode

PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.M)
QUOTED = ("text", "value", "spread", "over", "unit", "full")  # what a placeholder may ask for
NOTE = "<!-- Written by `make ledger`. Edit book/_templates/{name} and run it again. -->\n\n"
UNTESTED = {"C": "not yet tested", "E": "not yet shown"}


@dataclass(frozen=True)
class Found:
    """A recorded verdict and where it stands."""

    verdict: Verdict
    notebook: str  # the stem: 02_gan
    section: str  # the heading above the cell


@dataclass
class Ledger:
    """All that the notebooks of a folder recorded; `faults` are lines for people."""

    notebooks: set[str] = field(default_factory=set)
    values: dict[tuple[str, str], Value] = field(default_factory=dict)  # by notebook and name
    verdicts: dict[str, Found] = field(default_factory=dict)  # by row
    faults: list[str] = field(default_factory=list)

    def add_value(self, notebook: str, value: Value) -> None:
        """Take a value; a name has one home."""
        if (notebook, value.name) in self.values:
            self.faults.append(f"{notebook}.ipynb records {value.name} twice: give each value its own name")
        self.values[notebook, value.name] = value

    def add_verdict(self, found: Found) -> None:
        """Take a verdict; a row has one."""
        row, first = found.verdict.row, self.verdicts.get(found.verdict.row)
        if first:
            self.faults.append(f"{row} has two verdicts, one in {first.notebook} and one in {found.notebook}")
        self.verdicts[row] = found


def read_ledger(folder: Path) -> Ledger:
    """Read what the stored outputs of the notebooks in a folder recorded."""
    ledger = Ledger()
    for path in sorted(folder.glob("*.ipynb")):
        ledger.notebooks.add(path.stem)
        for section, output in _recorded(read(path)):
            item = _item_from(output, path)
            if isinstance(item, Value):
                ledger.add_value(path.stem, item)
            else:
                ledger.add_verdict(Found(item, path.stem, section))
    return ledger


def render(template: str, page: str, ledger: Ledger) -> tuple[str, list[str]]:
    """Fill a template; return the page and one line for each placeholder that cannot be filled as it should."""
    faults: list[str] = []

    def fill(match: re.Match) -> str:
        words = match[1].split()
        if len(words) == 3 and words[0] == "row":
            text, found = _fill_row(words[1], words[2], ledger)
        elif len(words) == 2:
            text, found = _fill_value(words[0], words[1], ledger)
        else:
            text, found = match[0], [f"{match[0]}: wanted a notebook and a name, or: row C3 02_gan"]
        faults.extend(f"{page}: {fault}" for fault in found)
        return text

    return NOTE.format(name=page) + PLACEHOLDER.sub(fill, template), faults


def render_pages(root: Path) -> tuple[dict[Path, str], list[str]]:
    """Render every template of a clone; return the text of each page, and all faults."""
    ledger, pages = read_ledger(root / "notebooks"), {}
    faults, shown = list(ledger.faults), set()
    for template in sorted((root / "book" / "_templates").glob("*.md")):
        source = template.read_text(encoding="utf-8")
        pages[root / "book" / template.name], found = render(source, template.name, ledger)
        faults += found
        shown |= {words.split()[1] for words in PLACEHOLDER.findall(source) if words.startswith("row ")}
    for row in sorted(ledger.verdicts.keys() - shown):
        faults.append(f"{ledger.verdicts[row].notebook}.ipynb gives a verdict on {row}, and no page has that row")
    return pages, list(dict.fromkeys(faults))  # a value quoted twice is missing once


def write_pages(root: Path) -> list[str]:
    """Write every page of a clone that quotes the ledger; return the faults."""
    pages, faults = render_pages(root)
    for path, text in pages.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return faults


def _recorded(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield (section heading, output) of every record in a notebook."""
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = (HEADING.findall(cell.source) or [section])[-1]
        for output in cell.get("outputs", []):
            if KEY in output.get("metadata", {}):
                yield section, output


def _item_from(output: NotebookNode, path: Path) -> Value | Verdict:
    """The value or verdict of an output; MusegenError if its parts are not those of the line that is shown."""
    fields = dict(output["metadata"][KEY])
    try:
        if fields.pop("kind") == "value":
            item = Value(**fields)
        else:
            item = Verdict(**fields | {"values": tuple(fields["values"])})
    except (TypeError, KeyError) as error:
        raise MusegenError(f"{path}: a record of an older form, run the notebook again ({error})") from error
    if repr(item) != output["data"].get("text/plain"):  # nbval compares the line and not the metadata
        raise MusegenError(f"{path}: stored as {item!r}, but shown otherwise; run the notebook again")
    return item


def _fill_value(notebook: str, quoted: str, ledger: Ledger) -> tuple[str, list[str]]:
    """The text for a value placeholder, and its faults."""
    name, _, part = quoted.partition(".")
    value = ledger.values.get((notebook, name))
    if (part or "text") not in QUOTED:
        return "not yet measured", [f"{quoted}: a value has {', '.join(QUOTED)}, no {part}"]
    if value:
        return _in_table(getattr(value, part or "text")), []
    faults = [f"{notebook}.ipynb records no value {name}"] if notebook in ledger.notebooks else []
    return "not yet measured", faults


def _fill_row(row: str, notebook: str, ledger: Ledger) -> tuple[str, list[str]]:
    """Lesson, verdict and values of a row, and its faults."""
    found = ledger.verdicts.get(row)
    if not found:
        written = notebook in ledger.notebooks
        lesson = f"[{notebook}](../notebooks/{notebook}.ipynb)" if written else f"{notebook}, to come"
        faults = [f'{notebook}.ipynb says nothing on {row}: add a cell with verdict("{row}", ...)'] if written else []
        return f"{lesson} | {UNTESTED[row[0]]} | –", faults
    lesson = f"[{found.notebook}](../notebooks/{found.notebook}.ipynb)"
    values = {name: ledger.values.get((found.notebook, name)) for name in found.verdict.values}
    faults = [f"{row}: {found.notebook}.ipynb records no value {name}" for name, value in values.items() if not value]
    known = [value for value in values.values() if value]
    if row[0] == "C" and not any(value.spread for value in known):
        faults.append(f"{row}: none of its values in {found.notebook}.ipynb has a spread")
    numbers = "; ".join(f"{value.name.replace('_', ' ')} {value.full}" for value in known) or "–"
    result = ": ".join(filter(None, (f"**{found.verdict.result}**", found.verdict.because)))
    place = lesson
    if found.section:
        place = f"{lesson}, [*{_in_table(found.section)}*](../notebooks/{found.notebook}.ipynb#{slug(found.section)})"
    return f"{place} | {_in_table(result)} | {_in_table(numbers)}", faults


def slug(heading: str) -> str:
    """The place of a heading in a link, as GitHub and the book spell it.

    >>> slug('Labels called "fake" that are ones')
    'labels-called-fake-that-are-ones'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _in_table(text: str) -> str:
    """Text that does not end a table cell."""
    return " ".join(text.replace("|", r"\|").split())


def main(root: Path) -> int:
    """Write the pages of a clone and print the faults; return the exit code."""
    faults = write_pages(root)
    for fault in faults:
        print(fault)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[2]))
