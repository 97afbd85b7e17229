"""`musegen recommend evaluate`: all recommenders on one file of who heard what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.models.recommend.benchmark import Say, benchmark
from musegen_lib.models.recommend.interaction_columns import SKIP
from musegen_lib.models.recommend.interaction_form import FileForm, parse_columns
from musegen_lib.models.recommend.interaction_text import OTHER, say_mark
from musegen_lib.models.recommend.interactions import Interactions, read_interactions, without
from musegen_lib.models.recommend.models import Histories
from musegen_lib.models.recommend.protocol import CORE, HELD_OUT, keep_core, split_histories, to_histories

MEANINGS = {"count": "count or rating"}
UTF_8 = ("utf-8", "utf-8-sig")
SHOWN = 20  # lines left out that are printed one by one; --json has all


def understood_lines(name: str, found: Interactions) -> list[str]:
    """How a file was read, for people: what it holds, its form, its columns, and what was left out."""
    form = found.understood
    order = "yes" if found.time is not None else "no"
    lines = [
        f"{name}: {len(found.users):,} users, {len(found.items):,} items, {len(found):,} interactions, order {order}"
    ]
    header, encoding = "yes" if form.names else "no", "" if form.encoding in UTF_8 else f", encoding {form.encoding}"
    shape = "lists, one user a line" if form.is_lists else "table"
    lines.append(f"  {shape}, separator {say_mark(form.separator)}, header {header}, {_columns(form)}{encoding}")
    if form.encoding == OTHER:
        lines.append("  not UTF-8: names with letters beyond English are kept apart, but may print wrong")
    if form.first > 1 + bool(form.names):
        lines.append(f"  the first interaction is on line {form.first}; the lines above are none")
    if form.n_zero:
        lines.append(
            f"  {form.n_zero:,} lines left out, whose count or rating is 0 or less; if these are meetings too, "
            f"add --columns {without(form)}"
        )
    return lines


def _columns(form: FileForm) -> str:
    """Which column is what, by its name or its place from 1."""
    if form.is_lists:
        return "columns: user, then items in the order of hearing"
    names = [name or str(place) for place, name in enumerate(form.names or [""] * len(form.roles), start=1)]
    names = [shorten(name, 30) for name in names]
    used = [f"{name} = {MEANINGS.get(role, role)}" for name, role in zip(names, form.roles) if role != SKIP]
    ignored = [name for name, role in zip(names, form.roles) if role == SKIP]
    return f"columns: {', '.join(used)}" + (f"; not used: {', '.join(ignored)}" if ignored else "")


def understood_report(found: Interactions) -> dict[str, Any]:
    """How a file was read, for programs; columns are names, or places from 1 where there is no header."""
    form = found.understood
    names = [shorten(form.names[at]) if form.names else at + 1 for at in range(len(form.roles))]
    return {
        "users": len(found.users),
        "items": len(found.items),
        "interactions": len(found),
        "order": found.time is not None,
        "form": "lists" if form.is_lists else "table",
        "separator": form.separator,
        "header": bool(form.names),
        "columns": {role: name for role, name in zip(form.roles, names) if role != SKIP},
        "ignored": [name for role, name in zip(form.roles, names) if role == SKIP],
        "encoding": form.encoding,
        "first_line": form.first,
        "left_out_as_0": form.n_zero,
    }


def report_lines(found: dict[str, Any]) -> list[str]:
    """The report of `evaluate_file`, a line a recommender, and what was left out."""
    skipped = found["skipped_lines"]
    lines = [f"line {bad['line']} left out: {bad['fault']}" for bad in skipped[:SHOWN]]
    if len(skipped) > SHOWN:
        lines.append(f"and {len(skipped) - SHOWN:,} more lines left out; --json names them")
    lines.append(f"{'':12}R@20 (error)     NDCG@20  coverage  beside EASE")
    for name, row in found["models"].items():
        beside = row.get("minus_ease", {}).get("verdict", "")
        recall = f"{row['recall_at_20']:.4f} ({row['recall_at_20_standard_error']:.4f})"
        lines.append(f"{name:12}{recall}  {row['ndcg_at_20']:.4f}   {row['coverage_at_20']:.3f}     {beside}")
    lines += [f"{name}: not tuned, {why}" for name, why in found["not_tuned"].items()]
    return lines + [f"{name}: left out, {why}" for name, why in found["left_out"].items()]


def _core(found: Interactions, name: str, say: Say) -> Histories:
    """The users and items that are compared; MusegenError, which names the file, where they are too few."""
    try:
        heard, _ = keep_core(to_histories(found))
    except MusegenError as fault:
        raise MusegenError(f"{name}: {fault}") from None
    if heard.n_items <= 20:
        left = f"{heard.n_items} items are left after the {CORE}-core"
        raise MusegenError(f"{name}: {left}; a list of 20 needs more than 20, so take a larger file")
    say(f"after the {CORE}-core {len(heard):,} users and {heard.n_items:,} items")
    return heard


def evaluate_file(
    path: Path,
    skip_bad: bool = False,
    seed: int = 0,
    say: Say = lambda text: None,
    columns: str = "",
    tell: Say = lambda text: None,
) -> dict[str, Any]:
    """Read a file, filter it, split it and compare all recommenders on it; the report of `musegen recommend evaluate`.

    Args:
        say: is told how far the work is.
        columns: what the columns are, such as "user,time,-,item"; empty where the file tells.
        tell: is told how the file was read, before anything is measured.
    Raises:
        MusegenError: the file cannot be read or is not understood, or too little is left after the filter.
    """
    found = read_interactions(path, skip_bad, parse_columns(columns) if columns else (), say)
    for line in understood_lines(shorten(path.name), found):
        tell(line)
    heard = _core(found, shorten(path.name), say)
    report = benchmark(split_histories(heard, seed), seed, say)
    return {"file": path.name, **_read_report(found, heard), "protocol": _protocol(heard, seed, report), **report}


def _read_report(found: Interactions, heard: Histories) -> dict[str, Any]:
    """What was read, left out and kept."""
    return {
        "read": understood_report(found),
        "skipped_lines": [{"line": number, "fault": fault} for number, fault in found.skipped],
        "after_5_core": {"hearings": sum(map(len, heard.sequences)), "users": len(heard), "items": heard.n_items},
    }


def _protocol(heard: Histories, seed: int, report: dict[str, Any]) -> dict[str, str]:
    """How the recommenders were compared, in words."""
    by = "last of each user by time" if heard.ordered else f"of each user by seed {seed}"
    untuned = ", ".join(report["not_tuned"])
    chosen = "which alone chooses settings" + (f", but those of {untuned}" if untuned else "")
    return {
        "counted": "an item once a user, at its first hearing",
        "test": f"{HELD_OUT:.0%} {by}; of the rest as much for validation, {chosen}",
        "ranked": "all items but the user's own known ones; fitted again on train and valid before the test",
        "errors": "standard errors over users, of the mean over seeds",
    }
