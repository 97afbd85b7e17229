"""The commands `musegen recommend`."""

from __future__ import annotations

import typer

from musegen_lib.cli_similar import similar

recommend_app = typer.Typer(no_args_is_help=True, help="What to hear next: from the notes, and from listeners.")
recommend_app.command("similar")(similar)
