"""Run notebooks from a fresh kernel and keep them tidy, so that a re-run changes only what truly changed.

`musegen notebook run` and `make notebooks` call `execute`; `musegen student` calls `student_version`.
The notebook tools of Jupyter are imported inside the functions: the rest of the library works without them.
"""

from __future__ import annotations

import atexit
import re
import time
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.core.paths import replacing

if TYPE_CHECKING:
    from nbformat import NotebookNode

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_METADATA = ("tags", "mystnb")  # what we write by hand; editors and runners add the rest
NOTEBOOK_METADATA = ("mystnb",)
PROOF = {"source_hidden": True, "outputs_hidden": True}  # how JupyterLab folds a cell tagged `proof`
STARTS = 3  # of a kernel, before we give up
TERMINAL_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def execute(path: str | Path, timeout: float = 600, keep: bool = True) -> float:
    """Run a notebook in its own folder from a fresh kernel and store its outputs in place, if they are to be kept.

    Args:
        path: the notebook; it is replaced in one step, and only if every cell ran.
        timeout: seconds that one cell may take.
    Returns:
        Seconds from starting the kernel to the last output.
    Raises:
        MusegenError: the file is missing or not a notebook, or a cell failed; names notebook, cell and error.
    """
    path = Path(path)
    notebook = read(path)
    started = time.monotonic()
    _run_cells(notebook, path, timeout)
    seconds = time.monotonic() - started
    if keep:
        write(tidy(notebook), path)
    return seconds


def student_version(path: str | Path, out: str | Path) -> Path:
    """Write a copy to work in: without the cells tagged `solution` and without outputs; return its path."""
    path, out = Path(path), Path(out)
    if out.exists() and out.samefile(path):
        raise MusegenError(
            f"{out}: the student version would overwrite the notebook it is made from, give another name"
        )
    notebook = tidy(read(path))
    notebook.cells = [cell for cell in notebook.cells if "solution" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    write(notebook, out)
    return out


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Drop in place what differs from run to run or from machine to machine: time stamps, widget state, versions.

    A cell tagged `proof` proves the lesson to its authors; it is folded for those who learn.
    """
    from_dict = _import_nbformat().from_dict
    kept = {key: notebook.metadata[key] for key in NOTEBOOK_METADATA if key in notebook.metadata}
    notebook.metadata = from_dict({**kept, "kernelspec": KERNELSPEC, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata = from_dict({key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata})
        if "proof" in cell.metadata.get("tags", []):
            cell.metadata["tags"] = sorted({*cell.metadata["tags"], "remove-cell"})  # the book leaves it out
            cell.metadata["jupyter"] = from_dict(PROOF)
        alts = [output.get("metadata", {}).get("image/png", {}).get("alt") for output in cell.get("outputs", [])]
        if any(alts):  # where the book looks for it
            cell.metadata["mystnb"] = from_dict({"image": {"alt": next(filter(None, alts))}})
    return notebook


def read(path: Path) -> NotebookNode:
    """Read a notebook; a file that is missing or is none raises MusegenError."""
    nbformat = _import_nbformat()
    if not path.is_file():
        raise MusegenError(f"{path}: there is no such notebook")
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat passes on what json, its schemas and its converters raise
        raise MusegenError(f"{path}: this is not a notebook ({_one_line(error)})") from error
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook in one step: a crash or a full disk leaves the old file whole."""
    text = _import_nbformat().writes(notebook).rstrip("\n") + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _run_cells(notebook: NotebookNode, path: Path, timeout: float) -> None:
    """Run every cell; the error of a failing one is told in one line."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    began: list[int] = []
    try:
        _start_and_run(notebook, path, timeout, began)
    except CellExecutionError as error:
        raise MusegenError(f"{_where(path, notebook, began)}: {error.ename}: {_one_line(error.evalue)}") from error
    except CellTimeoutError as error:
        raise MusegenError(f"{_where(path, notebook, began)}: took longer than {timeout:g} s") from error
    except DeadKernelError as error:
        raise MusegenError(f"{_where(path, notebook, began)}: the kernel died (out of memory or a crash)") from error


def _start_and_run(notebook: NotebookNode, path: Path, timeout: float, began: list[int]) -> None:
    """Run every cell, noting in `began` which; a kernel that dies before the first cell is started again, twice.

    One does when another process takes the port that was chosen for it.
    """
    from nbclient import NotebookClient

    for start in range(STARTS):
        client = NotebookClient(
            notebook,
            timeout=timeout,
            kernel_name=KERNELSPEC["name"],
            resources={"metadata": {"path": str(path.resolve().parent)}},
            record_timing=False,
            coalesce_streams=True,
        )
        client.on_cell_execute = lambda cell, cell_index: began.append(cell_index)
        try:
            client.execute()
            return
        except RuntimeError as error:
            if began:
                raise
            atexit.unregister(client._cleanup_kernel)  # done, and nbclient would stumble over doing it twice
            if start == STARTS - 1:
                raise MusegenError(f"{path}: no kernel starts here ({_one_line(error)})") from error


def _where(path: Path, notebook: NotebookNode, began: list[int]) -> str:
    """Notebook and cell, numbered as the reader sees it: In [3] is the third code cell."""
    last = began[-1] if began else -1
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: last + 1])
    return f"{path}, cell [{number}]"


def _import_nbformat() -> ModuleType:
    try:
        import nbclient  # noqa: F401  both or none
        import nbformat
    except ImportError as error:
        raise MusegenError(
            f'{error.name} is missing, install the course with its tools: pip install -e ".[all]"'
        ) from error
    return nbformat


def _one_line(text: object) -> str:
    """The first line of a message, without the colours of a terminal."""
    plain = TERMINAL_COLOUR.sub("", str(text)).strip()
    return shorten(plain.splitlines()[0], 300) if plain else "no message"
