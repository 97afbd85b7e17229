"""The commands `musegen recommend`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from musegen_lib.cli_similar import similar

recommend_app = typer.Typer(no_args_is_help=True, help="What to hear next: from the notes, and from listeners.")
recommend_app.command("similar")(similar)


@recommend_app.command("evaluate")
def recommend_evaluate(
    interactions: Annotated[Path, typer.Option(help="Table (user, item, count, time) or lists, one user a line.")],
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave malformed lines out.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="First of three seeds; also cuts files without order.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare popularity, neighbours, EASE, ALS, a VAE and, where there is order, a GRU on who heard what."""
    from musegen_lib.listener_bench import evaluate_file

    found = evaluate_file(interactions, skip_bad, seed, lambda text: typer.echo(text, err=True))
    if json:
        print(json_module.dumps(found, indent=2, ensure_ascii=False))
        return
    for fault in found["skipped_lines"]:
        print(f"line {fault['line']} left out: {fault['fault']}")
    print(f"{'':12}R@20 (error)     NDCG@20  coverage  beside EASE")
    for name, row in found["models"].items():
        beside = row.get("minus_ease", {}).get("verdict", "")
        recall = f"{row['recall_at_20']:.4f} ({row['recall_at_20_standard_error']:.4f})"
        print(f"{name:12}{recall}  {row['ndcg_at_20']:.4f}   {row['coverage_at_20']:.3f}     {beside}")
    for name, why in found["left_out"].items():
        print(f"{name}: left out, {why}")


@recommend_app.command("simulate")
def recommend_simulate(
    out: Annotated[Path, typer.Option(help="The table to write.")],
    listeners: Annotated[int, typer.Option(min=10, max=20_000, help="How many listeners.")] = 600,
    tunes: Annotated[int, typer.Option(min=50, max=12_000, help="How many of the folk tunes they play.")] = 800,
    plays: Annotated[float, typer.Option(min=10, max=100, help="Mean number of plays a listener.")] = 40.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same file.")] = 0,
) -> None:
    """Write plays of SIMULATED listeners of real tunes; how they are made up is in listener_worlds.py."""
    from musegen_lib.listener_worlds import simulate, write_simulated

    write_simulated(simulate(listeners, tunes, plays, seed), out, typer.echo)
