"""`musegen generate` and `musegen harmonise`: pieces of a trained model, voices below a melody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from musegen_lib.cli.output import Expression, check_folder, check_output, named, played
from musegen_lib.core.keys import as_asked
from musegen_lib.core.progress import progress
from musegen_lib.encodings.arrays import skyline
from musegen_lib.formats.files import read_for_model
from musegen_lib.formats.midi.reader import write_midi
from musegen_lib.models.facts import ends_with_a_bar, facts_of
from musegen_lib.models.melody.asked import facts_of_request
from musegen_lib.models.registry import find_recipe

HARMONIES, CHORALES = 8, 16  # drawn below a melody, along a plan; the one with the fewest faults is written
KEPT = ("keeps_mode", "keeps_form", "ends_as_asked", "parts_close")  # facts of melodies whose share is told


def generate_files(
    model: str, n: int, seed: int, out: Path, controls: dict[str, Any], expression: Expression = Expression.LIGHT
) -> dict[str, Any]:
    """Write n pieces of a model into a folder; returns facts to tell the user."""
    rows, recipe = [], find_recipe(model)
    check_folder(out)
    plan = recipe.plan(n, seed, **controls) if hasattr(recipe, "plan") else None
    drawn = {"draws": CHORALES} if model == "rnn-chorales" else {}
    pieces = recipe.write(plan, seed) if plan else recipe.generate(n, seed, **drawn, **controls)
    pieces = [piece.replace(key=as_asked(piece.key, controls.get("key"))) for piece in pieces]
    for number, piece in enumerate(progress(pieces, "files"), start=1):
        file = out / f"{model}_{number:03d}.mid"
        out.mkdir(parents=True, exist_ok=True)
        write_midi(played(piece, expression, seed), file)
        asked = facts_of_request(piece, plan.forms[number - 1]) if plan else {}
        rows.append({"file": str(file), "title": piece.title, "notes": len(piece)} | facts_of(piece) | asked)
    shares = {name: sum(row[name] for row in rows) / len(rows) for name in KEPT if name in rows[0]}
    validity = sum(row["playable"] for row in rows) / len(rows)
    told = {"told": lines} if (lines := lines_about(rows)) else {}
    return {"model": model, "seed": seed} | drawn | {"validity": validity} | shares | told | {"pieces": rows}


def lines_about(rows: list[dict[str, Any]]) -> list[str]:
    """What a user should be told of melodies that do not keep their mode: how many, which, and what to do."""
    left = [row for row in rows if row.get("keeps_mode") is False]
    if not left:
        return []
    which = "this one leaves" if len(rows) == 1 else f"{len(left)} of {len(rows)} leave"
    return [
        f"{which} {left[0]['key']} (keeps_mode): a mode may be rare in a style; ask for another, or for more pieces"
    ]


def harmonise_file(
    source: Path,
    out: Path,
    seed: int,
    method: str,
    temperature: float,
    as_written: bool = False,
    expression: Expression = Expression.LIGHT,
) -> dict[str, Any]:
    """Write a melody with three voices below it into a .mid file; returns facts to tell the user."""
    from musegen_lib.models.chorale.harmonise import harmonise

    check_output(out, source)
    piece, lines = read_for_model(source, as_written)
    with named(source, piece):
        written = harmonise(piece, seed, method, temperature, draws=HARMONIES)[0]
    write_midi(played(written, expression, seed), out)
    moved = int(written.voice(0).notes["pitch"][0]) - int(skyline(piece).notes["pitch"][0])
    lines += [f"{source.name}: moved by {moved:+d} semitones, where a soprano sings"] * bool(moved)
    facts = facts_of(written)
    bar = written.steps_per_bar
    if bar and not ends_with_a_bar(written.n_steps, bar, written.pickup_steps):
        lines.append(f"{source.name}: its last bar is not full, so the harmony counts as not playable")
    found = {"file": str(out), "method": method, "seed": seed, "notes": len(written), "read": lines}
    return found | facts
