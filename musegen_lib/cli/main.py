"""The command `musegen`. Commands import what they need when they run: `musegen --help` loads no model."""

from __future__ import annotations

import sys

import typer

from musegen_lib.cli import files, lessons, make, measure
from musegen_lib.core import progress
from musegen_lib.core.errors import MusegenError

app = typer.Typer(help="Music from neural networks: hear it, train it, measure it.", no_args_is_help=True)
data_app = typer.Typer(help="The music corpus in data/cache.", no_args_is_help=True)
midi_app = typer.Typer(help="The former name of check.", no_args_is_help=True)
notebook_app = typer.Typer(help="The lessons.", no_args_is_help=True)
recommend_app = typer.Typer(help="What to hear next: from the notes, and from listeners.", no_args_is_help=True)
app.add_typer(midi_app, name="midi", hidden=True)
for group, name in ((data_app, "data"), (notebook_app, "notebook"), (recommend_app, "recommend")):
    app.add_typer(group, name=name)
for command in (make.tour, make.generate, make.harmonise, make.vary, make.interpolate, make.perform, make.transfer):
    app.command()(command)
for command in (measure.train, measure.evaluate, files.convert, lessons.student):
    app.command()(command)
data_app.command("build")(files.data_build)
data_app.command("verify")(files.data_verify)
data_app.command("card")(files.data_card)
app.command("check")(files.check)
midi_app.command("check")(files.check)
notebook_app.command("run")(lessons.notebook_run)
recommend_app.command("similar")(measure.recommend_similar)
recommend_app.command("evaluate")(measure.recommend_evaluate)
recommend_app.command("simulate")(measure.recommend_simulate)


def main() -> None:
    """Run the command line; a fault of the user's files or options is one line on standard error and status 1."""
    try:
        with progress.shown():
            app(prog_name="musegen")
    except MusegenError as fault:
        sys.exit(f"musegen: {fault}")
    except OSError as fault:  # a full disk, a folder without leave to write, a file where a folder is wanted
        sys.exit(f"musegen: {fault.filename or 'a file'}: {fault.strerror or fault}; check the path and the disk")
