"""Commands for the lessons: run a notebook, write the version for students."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def notebook_run(notebooks: list[Path]) -> None:
    """Run notebooks from a fresh kernel and keep their outputs in place."""
    from musegen_lib.lessons.notebooks import execute

    for path in notebooks:
        print(f"{path}: {execute(path):.0f} s")


def student(notebook: Path, out: Annotated[Path, typer.Option(help="The notebook to write.")]) -> None:
    """Write the version of a NOTEBOOK for students: no solutions, no outputs."""
    from musegen_lib.lessons.notebooks import student_version

    print(student_version(notebook, out))
