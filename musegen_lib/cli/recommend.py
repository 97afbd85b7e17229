"""The commands `musegen recommend`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from musegen_lib.cli.similar import similar
from musegen_lib.core.errors import MusegenError
from musegen_lib.models.recommend.benchmark import Say, benchmark
from musegen_lib.models.recommend.interactions import read_interactions
from musegen_lib.models.recommend.protocol import CORE, HELD_OUT, keep_core, split_histories, to_histories

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
    from musegen_lib.models.recommend.simulator import simulate, write_simulated

    write_simulated(simulate(listeners, tunes, plays, seed), out, typer.echo)


def evaluate_file(path: Path, skip_bad: bool = False, seed: int = 0, say: Say = lambda text: None) -> dict[str, Any]:
    """Read a file, filter it, split it and compare all recommenders on it; the report of `musegen recommend evaluate`.

    Raises:
        MusegenError: the file cannot be read, lines of it are malformed, or too little is left after the filter.
    """
    found = read_interactions(path, skip_bad)
    all_heard = to_histories(found)
    heard, _ = keep_core(all_heard)
    if heard.n_items <= 20:
        raise MusegenError(f"{heard.n_items} items are left after the {CORE}-core; a list of 20 needs more than 20")
    say(f"{len(found):,} interactions; after the {CORE}-core {len(heard):,} users and {heard.n_items:,} items")
    by = "last of each user by time" if heard.ordered else f"of each user by seed {seed}"
    report = benchmark(split_histories(heard, seed), seed, say)
    return {
        "file": path.name,
        "read": {"interactions": len(found), "users": len(found.users), "items": len(found.items)},
        "skipped_lines": [{"line": number, "fault": fault} for number, fault in found.skipped],
        "after_5_core": {"hearings": sum(map(len, heard.sequences)), "users": len(heard), "items": heard.n_items},
        "protocol": {
            "counted": "an item once a user, at its first hearing",
            "test": f"{HELD_OUT:.0%} {by}; of the rest as much for validation, which alone chooses settings",
            "ranked": "all items but the user's own known ones; fitted again on train and valid before the test",
            "errors": "standard errors over users, of the mean over seeds",
        },
        **report,
    }
