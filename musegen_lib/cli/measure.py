"""Commands that train models and measure them, and those that recommend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from musegen_lib.cli.output import AsWritten, Json, Seed, print_result
from musegen_lib.core.errors import MusegenError
from musegen_lib.models.registry import find_recipe, names_that

PARTS = ("valid", "test")
EVALUATED = ", ".join(name for name in names_that("evaluate") if name != "chorales-frames")


def train(
    model: Annotated[str, typer.Argument(help=f"One of {', '.join(names_that('train'))}.")],
    out: Annotated[Path | None, typer.Option(help="Checkpoint to write; default data/checkpoints/MODEL.")] = None,
    seed: Seed = 0,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps; default is the recipe's.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Train for so long; default is the recipe's.")] = None,
    data: Annotated[Path | None, typer.Option(help="File of frames, for chorales-frames only.")] = None,
    json: Json = False,
) -> None:
    """Train MODEL by its recipe and write a checkpoint with its card; a stopped run goes on where it was."""
    from musegen_lib.core.paths import check_writable, data_dir

    path = out or data_dir() / "checkpoints" / f"{model}.safetensors"
    given = {"steps": steps, "minutes": minutes, "data": data}
    recipe = find_recipe(model, "train")
    if data is not None and not getattr(recipe, "reads_data", False):
        raise MusegenError(f"{model} learns from the course's own corpus; --data is for chorales-frames")
    check_writable(path)
    card = recipe.train(path, seed, **{name: value for name, value in given.items() if value is not None})
    print_result(card | {"checkpoint": str(path)}, json)


def evaluate(
    model: Annotated[str, typer.Argument(help=f"{EVALUATED}, a checkpoint of chorales-frames, or transfer.")],
    split: Annotated[str, typer.Option("--split", "--part", help="valid or test.")] = "valid",
    data: Annotated[Path | None, typer.Option(help="File of frames, for such a checkpoint.")] = None,
    n_tunes: Annotated[int | None, typer.Option(help="For transfer: tunes of each style; default all.")] = None,
    amount: Annotated[float, typer.Option(help="For transfer: largest share of notes to change.")] = 0.2,
    json: Json = False,
) -> None:
    """Measure MODEL on held-out music; `transfer` measures every way to rewrite a melody in another style."""
    if model == "transfer":
        from musegen_lib.models.style.evaluation.table import table_lines, transfer_report

        report = transfer_report(split, n_tunes, amount)
        lines = (f"{split} tunes, amount {amount:g}", *table_lines(report["rows"]))
        print_result(report, json, *lines)
        return
    if split not in PARTS:
        raise MusegenError(f"split {split!r} is unknown; use {' or '.join(PARTS)}")
    if data is not None and not model.endswith(".safetensors"):
        raise MusegenError(
            f"{model} is measured on the course's own corpus; --data goes with a checkpoint, a .safetensors"
        )
    if model.endswith(".safetensors"):
        print_result(find_recipe("chorales-frames", "evaluate").evaluate(split, Path(model), data), json)
    else:
        print_result(find_recipe(model, "evaluate").evaluate(split), json)


def recommend_similar(
    source: Annotated[Path, typer.Argument(help="A melody: .mid, .abc, .xml, .musicxml or .mxl.")],
    n: Annotated[int, typer.Option(help="How many tunes to name.")] = 10,
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """Name the folk tunes whose notes are most like a melody's, in any key and at any tempo."""
    from musegen_lib.cli.similar import similar_file, similar_lines

    found = similar_file(source, n, as_written)
    print_result(found, json, *similar_lines(found))


def recommend_evaluate(
    interactions: Annotated[Path, typer.Option(help="Table (user, item, count, time) or lists, one user a line.")],
    columns: Annotated[
        str,
        typer.Option(help="What the columns are, such as user,time,-,item (- leaves one out); user,items for lists."),
    ] = "",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave malformed lines out, a tenth at most.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="First of three seeds; also cuts files without order.")] = 0,
    json: Json = False,
) -> None:
    """Compare popularity, neighbours, EASE, ALS, a VAE and, where there is order, a GRU on who heard what.

    How the file was read is printed first; a header may name its columns in any order.
    """
    from musegen_lib.cli.recommend import evaluate_file, report_lines

    found = evaluate_file(
        interactions,
        skip_bad,
        seed,
        say=lambda text: typer.echo(text, err=True),
        columns=columns,
        tell=lambda text: typer.echo(text, err=json),
    )
    print_result(found, json, *report_lines(found))


def recommend_simulate(
    out: Annotated[Path, typer.Option(help="The table to write.")],
    listeners: Annotated[int, typer.Option(min=10, max=20_000, help="How many listeners.")] = 600,
    tunes: Annotated[int, typer.Option(min=50, max=12_000, help="How many of the folk tunes they play.")] = 800,
    plays: Annotated[float, typer.Option(min=10, max=100, help="Mean number of plays a listener.")] = 40.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same file.")] = 0,
) -> None:
    """Write plays of SIMULATED listeners of real tunes; models/recommend/simulator.py says how they are made up."""
    from musegen_lib.models.recommend.simulator import simulate, write_simulated

    write_simulated(simulate(listeners, tunes, plays, seed), out, typer.echo)
