"""`musegen recommend evaluate`: all recommenders on one file of who heard what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from musegen_lib.core.errors import MusegenError
from musegen_lib.models.recommend.benchmark import Say, benchmark
from musegen_lib.models.recommend.interactions import read_interactions
from musegen_lib.models.recommend.protocol import CORE, HELD_OUT, keep_core, split_histories, to_histories


def report_lines(found: dict[str, Any]) -> list[str]:
    """The report of `evaluate_file`, a line a recommender, and what was left out."""
    lines = [f"line {fault['line']} left out: {fault['fault']}" for fault in found["skipped_lines"]]
    lines.append(f"{'':12}R@20 (error)     NDCG@20  coverage  beside EASE")
    for name, row in found["models"].items():
        beside = row.get("minus_ease", {}).get("verdict", "")
        recall = f"{row['recall_at_20']:.4f} ({row['recall_at_20_standard_error']:.4f})"
        lines.append(f"{name:12}{recall}  {row['ndcg_at_20']:.4f}   {row['coverage_at_20']:.3f}     {beside}")
    lines += [f"{name}: not tuned, {why}" for name, why in found["not_tuned"].items()]
    return lines + [f"{name}: left out, {why}" for name, why in found["left_out"].items()]


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
    untuned = ", ".join(report["not_tuned"])
    chosen = "which alone chooses settings" + (f", but those of {untuned}" if untuned else "")
    return {
        "file": path.name,
        "read": {"interactions": len(found), "users": len(found.users), "items": len(found.items)},
        "skipped_lines": [{"line": number, "fault": fault} for number, fault in found.skipped],
        "after_5_core": {"hearings": sum(map(len, heard.sequences)), "users": len(heard), "items": heard.n_items},
        "protocol": {
            "counted": "an item once a user, at its first hearing",
            "test": f"{HELD_OUT:.0%} {by}; of the rest as much for validation, {chosen}",
            "ranked": "all items but the user's own known ones; fitted again on train and valid before the test",
            "errors": "standard errors over users, of the mean over seeds",
        },
        **report,
    }
