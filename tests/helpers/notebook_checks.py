"""What every notebook must keep to, read from the file without running it: one function a rule.

Each check takes a notebook and returns its faults, one line each, naming the cell as the reader sees it: In [3] is the
third code cell. tests/repo/test_notebooks.py runs all of CHECKS over notebooks/.
"""

from __future__ import annotations

import ast
import base64
import io
import re
from collections.abc import Iterator
from statistics import median

import nbformat
import numpy as np
import soundfile
from nbformat import NotebookNode
from nbformat.validator import iter_validate

MAX_NOTEBOOK_BYTES = 1_500_000
MAX_PLAYER_BYTES = 100_000
MAX_PLAYER_SECONDS = 12.5
MIN_PEAK = 0.05
MAX_MEDIAN_LINES, MAX_LINES = 8, 25
WORDS_PER_LINE = (4, 15)
MIN_FOLLOWED_BY_PROSE = 0.75
MIN_ALT_CHARACTERS = 20

PLAYER = re.compile(r"data:audio/[\w.+-]+;base64,([A-Za-z0-9+/=\s]+)")
BASE64_RUN = re.compile(r"[A-Za-z0-9+/=]{60,}")
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|tmp|work|Users)/\w[\w./-]*|\b[A-Z]:\\+\w+\\+\w[\w\\.-]*")
SHOWING_CALLS = {"print", "display", "show", "listen", "play", "hear", "gallery", "score"}


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def numbered(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield ('In [1]', cell) for every code cell."""
    for number, cell in enumerate(code_cells(notebook), start=1):
        yield f"In [{number}]", cell


def tags(cell: NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def lines(cell: NotebookNode) -> list[str]:
    """Return the lines of a cell that are not blank."""
    return [line for line in cell.source.splitlines() if line.strip()]


def parse(cell: NotebookNode) -> ast.Module:
    """Parse a code cell; lines for IPython (%, !) are blanked."""
    kept = ["" if line.lstrip()[:1] in ("%", "!") else line for line in cell.source.splitlines()]
    return ast.parse("\n".join(kept))


def texts(output: NotebookNode) -> Iterator[str]:
    """Yield every text of an output, pictures and sounds in base64 left out."""
    parts = [*output.get("data", {}).values(), output.get("text", ""), *output.get("traceback", [])]
    for part in parts:
        yield BASE64_RUN.sub("", part if isinstance(part, str) else str(part))


def faults_of_form(notebook: NotebookNode) -> list[str]:
    """The file is a valid notebook of format 4.5 or newer for the kernel every Python has."""
    faults = [f"not valid: {str(error).splitlines()[0]}" for error in iter_validate(notebook)]
    ids = [cell.get("id") for cell in notebook.cells]
    faults += [f"not valid: two cells have the id {i}" for i in sorted({i for i in ids if i and ids.count(i) > 1})]
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        faults.append("format is older than 4.5, where cells have ids")
    kernel = notebook.metadata.get("kernelspec", {})
    if (kernel.get("name"), kernel.get("language")) != ("python3", "python"):
        faults.append(f"kernelspec is {dict(kernel)}, wanted name python3 and language python")
    if "widgets" in notebook.metadata:
        faults.append("metadata.widgets holds state that loads scripts from the network: run `make notebooks`")
    return faults


def faults_of_execution(notebook: NotebookNode) -> list[str]:
    """Cells were run once, from the top; nothing failed that was not meant to."""
    faults = []
    for number, (where, cell) in enumerate(numbered(notebook), start=1):
        if cell.execution_count != number:
            faults.append(f"{where} has execution count {cell.execution_count}: run `make notebooks`")
        failed = [o.ename for o in cell.outputs if o.output_type == "error"]
        if failed and "raises-exception" not in tags(cell):
            faults.append(f"{where} ends in {failed[0]} and is not tagged raises-exception")
        if ends_in_a_show(cell) and not cell.outputs:
            faults.append(f"{where} ends in something to see or hear and has no output")
    return faults


def ends_in_a_show(cell: NotebookNode) -> bool:
    """True where the last line must leave an output: a value, or a call known to show something."""
    body = parse(cell).body
    if not body or not isinstance(body[-1], ast.Expr) or cell.source.rstrip().endswith(";"):
        return False
    value = body[-1].value
    if not isinstance(value, ast.Call):
        return not isinstance(value, (ast.Await, ast.Yield)) and not (
            isinstance(value, ast.Constant) and value.value is None
        )
    function = value.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    return name in SHOWING_CALLS


def faults_of_size(notebook: NotebookNode) -> list[str]:
    """The file opens on GitHub and in a browser."""
    size = len(nbformat.writes(notebook).encode())
    return [f"{size:,} bytes, the budget is {MAX_NOTEBOOK_BYTES:,}"] if size > MAX_NOTEBOOK_BYTES else []


def faults_of_players(notebook: NotebookNode) -> list[str]:
    """There is something to hear, and each player is short, small and not silent."""
    faults, n_players = [], 0
    for where, cell in numbered(notebook):
        for output in cell.outputs:
            for payload in PLAYER.findall(output.get("data", {}).get("text/html", "")):
                n_players += 1
                faults += [f"{where}: {fault}" for fault in faults_of_sound(base64.b64decode(payload))]
    return faults if n_players else ["no player: each lesson lets its result be heard"]


def faults_of_sound(sound: bytes) -> list[str]:
    """One encoded sound is within its budgets and has a signal."""
    faults = []
    if len(sound) > MAX_PLAYER_BYTES:
        faults.append(f"player of {len(sound):,} bytes, the budget is {MAX_PLAYER_BYTES:,}")
    try:
        samples, rate = soundfile.read(io.BytesIO(sound))
    except soundfile.LibsndfileError as error:
        return [*faults, f"player cannot be decoded: {error}"]
    seconds, peak = len(samples) / rate, float(np.abs(samples).max(initial=0))
    if seconds > MAX_PLAYER_SECONDS:
        faults.append(f"player of {seconds:.1f} s, the budget is {MAX_PLAYER_SECONDS} s")
    if not peak > MIN_PEAK:  # a NaN is no sound either
        faults.append(f"player is silent (peak {peak:.3f})")
    return faults


def faults_of_figures(notebook: NotebookNode) -> list[str]:
    """Each picture says in words what it shows, for readers who cannot see it."""
    faults = []
    for where, cell in numbered(notebook):
        cell_alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        for output in cell.outputs:
            data = output.get("data", {})
            text = data.get("text/plain", "")
            alt = cell_alt or ("" if text.startswith("<Figure") else text)
            if "image/png" in data and len(alt) < MIN_ALT_CHARACTERS:
                faults.append(f"{where}: figure without alt text, use show(fig, alt=...)")
    return faults


REMOTE = (
    (re.compile(r"<script", re.I), "a script in an output"),
    (re.compile(r"\bsrc\s*=\s*[\"']?\s*(?:https?:)?//", re.I), "an output that loads from the network"),
    (re.compile(r"<link\b|@import|url\(\s*[\"']?(?:https?:)?//", re.I), "a style that loads from the network"),
    (re.compile(r"<(?:audio|video)\b[^>]*\bautoplay", re.I), "a player that starts by itself"),
    (re.compile(r"<[^>]*\son[a-z]+\s*=", re.I), "an element that runs a script"),
    (
        re.compile(r"\b(?:href|src|action)\s*=\s*[\"']?\s*(?:javascript|vbscript|data:text/html)", re.I),
        "a script in a link",
    ),
    (re.compile(r"<(?:iframe|object|embed|form|meta|base)\b", re.I), "an element that may load or send something"),
)
RUNNING = ("application/javascript", "text/javascript", "application/vnd.bokehjs_exec.v0+json")


def faults_of_outputs(notebook: NotebookNode) -> list[str]:
    """Outputs load nothing, run nothing and start nothing."""
    faults = []
    for where, cell in numbered(notebook):
        if re.search(r"autoplay\s*=\s*True", cell.source):
            faults.append(f"{where}: a player that starts by itself")
        for text in (text for output in cell.outputs for text in texts(output)):
            faults += [f"{where}: {name}" for pattern, name in REMOTE if pattern.search(text)]
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        faults += [f"{where}: an output of {kind}, which runs on opening" for kind in sorted(kinds & {*RUNNING})]
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            text = BASE64_RUN.sub("", cell.source + "".join(map(str, cell.get("attachments", {}).values())))
            faults += [f"cell {number}, text: {name}" for pattern, name in REMOTE if pattern.search(text)]
    return faults


def faults_of_paths(notebook: NotebookNode) -> list[str]:
    """No cell and no output names a place on the machine of the author."""
    faults = []
    for number, cell in enumerate(notebook.cells, start=1):
        found = [cell.source, *(text for output in cell.get("outputs", []) for text in texts(output))]
        for match in (ABSOLUTE_PATH.search(BASE64_RUN.sub("", text)) for text in found):
            faults += [f"cell {number} of {len(notebook.cells)} holds the path {match[0]}"] if match else []
    return faults


def faults_of_length(notebook: NotebookNode) -> list[str]:
    """Cells in sight are short; an import counts as one line, however many names it takes."""
    sizes = {where: n_lines(cell) for where, cell in numbered(notebook)}
    folded = {where for where, cell in numbered(notebook) if "proof" in tags(cell)}
    long = {where: size for where, size in sizes.items() if size > MAX_LINES and where not in folded}
    faults = [f"{where} has {size} lines, at most {MAX_LINES}" for where, size in long.items()]
    middle = median([size for where, size in sizes.items() if where not in folded] or [0])
    most = MAX_MEDIAN_LINES + 2 * notebook.cells[0].source.startswith("# Appendix") if notebook.cells else 0
    if middle > most:
        faults.append(f"the median code cell has {middle:g} lines, at most {most}")
    return faults


def n_lines(cell: NotebookNode) -> int:
    """Lines of a cell, each import statement counted as one."""
    wrapped = re.findall(r"^from .* import \(\n(?:    .*\n)+\)", cell.source, re.M)
    return len(lines(cell)) - sum(text.count("\n") for text in wrapped)


def faults_of_prose(notebook: NotebookNode) -> list[str]:
    """Words and code are in balance, and most code is followed by words on what was seen; proofs are folded away."""
    cells = [cell for cell in notebook.cells if "proof" not in tags(cell)]
    prose = [re.sub(r"<!--.*?-->", "", cell.source) for cell in cells if cell.cell_type == "markdown"]
    words = sum(len(text.split()) for text in prose)
    n_lines = sum(len(lines(cell)) for cell in cells if cell.cell_type == "code") or 1
    cells = [cell for cell in cells if "solution" not in tags(cell)]  # an exercise and its solution count as one
    pairs = list(zip(cells, [*cells[1:], None], strict=True))
    after = [following for cell, following in pairs if cell.cell_type == "code"]
    share = sum(cell is not None and cell.cell_type == "markdown" for cell in after) / (len(after) or 1)
    faults = []
    if not WORDS_PER_LINE[0] <= words / n_lines <= WORDS_PER_LINE[1]:
        faults.append(f"{words / n_lines:.1f} words of prose a line of code, wanted {WORDS_PER_LINE}")
    if share < MIN_FOLLOWED_BY_PROSE:
        faults.append(f"{share:.0%} of code cells are followed by prose, at least {MIN_FOLLOWED_BY_PROSE:.0%}")
    return faults


def faults_of_exercises(notebook: NotebookNode) -> list[str]:
    """Each exercise has a solution further down."""
    faults, n_open = [], 0
    for number, cell in reversed(list(enumerate(notebook.cells, start=1))):
        n_open += "solution" in tags(cell)
        if "exercise" in tags(cell):
            n_open -= 1
            if n_open < 0:
                faults.append(f"cell {number} is an exercise and no solution is left below it")
                n_open = 0
    return faults


def faults_of_ignored_outputs(notebook: NotebookNode) -> list[str]:
    """A cell whose output is not compared asserts what matters, or one that follows in its section does.

    An assert that fails is an error, which nbval reports whether it compares the output or not.
    """
    faults = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not ignores_output(cell):
            continue
        if not any(asserts(cell) for cell in rest_of_section(notebook.cells[number:])):
            faults.append(f"cell {number + 1} is tagged nbval-ignore-output and no assert stands in its section")
    return faults


def rest_of_section(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield the cells up to the next heading."""
    for cell in cells:
        if cell.cell_type == "markdown" and re.search(r"^#{1,6} ", cell.source, re.M):
            return
        yield cell


def ignores_output(cell: NotebookNode) -> bool:
    """True where nbval is told not to compare."""
    return bool({"nbval-ignore-output", "nbval-skip"} & tags(cell)) or "NBVAL_" in cell.source


def asserts(cell: NotebookNode) -> bool:
    """True where a code cell holds an assert statement."""
    return cell.cell_type == "code" and any(isinstance(node, ast.Assert) for node in ast.walk(parse(cell)))


CHECKS = (
    faults_of_form,
    faults_of_execution,
    faults_of_size,
    faults_of_players,
    faults_of_figures,
    faults_of_outputs,
    faults_of_paths,
    faults_of_length,
    faults_of_prose,
    faults_of_exercises,
    faults_of_ignored_outputs,
)
