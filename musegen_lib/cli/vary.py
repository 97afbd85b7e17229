"""`musegen vary` and `musegen interpolate`: tunes near a file's, and between two files, as complete small pieces."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch

from musegen_lib.cli.output import Expression, check_folder, named, played
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.core.progress import progress
from musegen_lib.core.scales import name_key, scale_of_key
from musegen_lib.corpus import FOLK_TERMS
from musegen_lib.encodings.arrays import FIRST_PITCH, skyline
from musegen_lib.encodings.tune_chain import TuneChain, chain_to_piece, piece_to_chain
from musegen_lib.formats.files import read_for_model
from musegen_lib.formats.midi.reader import write_midi
from musegen_lib.models.facts import facts_of
from musegen_lib.models.registry import RECIPES
from musegen_lib.models.vae.interpolate import path_between_tunes, vary_tune

USUAL_DISTANCES = (0.2, 1.0)


class ReadTune(NamedTuple):
    """A melody that was read: the piece, its windows, and what to tell the user."""

    piece: Piece
    chain: TuneChain
    lines: list[str]


def vary_file(
    source: Path,
    out: Path,
    n: int,
    distance: float,
    seed: int,
    as_written: bool = False,
    expression: Expression = Expression.LIGHT,
) -> dict[str, Any]:
    """Write n different variations of a melody as .mid files; returns facts to tell the user."""
    check_folder(out)
    tune = _read(source, as_written)
    made = vary_tune(RECIPES["vae"].load_once(), tune.chain, n, distance, torch.Generator().manual_seed(seed))
    if not made:
        raise MusegenError(f"{source.name}: at distance {distance:g} the net writes nothing {_remedy(distance)}")
    if len(made) < n:
        tune.lines.append(f"at distance {distance:g} only {len(made)} different variations were found")
    titles = [f"{tune.piece.title}, variation {i}" for i in range(1, len(made) + 1)]
    pieces = [to_piece(chain, tune.piece, title) for chain, title in zip(made, titles)]
    rows = _write(pieces, out, f"{source.stem}_variation", seed, expression)
    own = tune.chain.tokens
    for row, chain in zip(rows, made):
        row["notes_kept"] = round(float((chain.tokens == own)[own >= FIRST_PITCH].mean()), 3)
    return _summary(rows, tune.lines) | {"distance": distance, "seed": seed}


def interpolate_files(
    first: Path,
    second: Path,
    out: Path,
    n_steps: int,
    as_written: bool = False,
    expression: Expression = Expression.LIGHT,
) -> dict[str, Any]:
    """Write a path from one melody to another as .mid files, both ends counted; returns facts to tell the user."""
    check_folder(out)
    start, end = _read(first, as_written), _read(second, as_written)
    if start.piece.steps_per_bar != end.piece.steps_per_bar:
        metres = f"{first.name} is in {start.piece.metre}, {second.name} in {end.piece.metre}"
        raise MusegenError(f"{metres}: their bars do not fit together; choose two tunes in one metre")
    path = path_between_tunes(RECIPES["vae"].load_once(), start.chain, end.chain, n_steps)
    title = f"{start.piece.title} to {end.piece.title}, step"
    pieces = [to_piece(chain, start.piece, f"{title} {i}") for i, chain in enumerate(path, start=1)]
    rows = _write(pieces, out, f"{first.stem}_to_{second.stem}", 0, expression)
    # dict: once of a file that is given twice
    lines = dict.fromkeys([*start.lines, *end.lines, *_told(start, end, path)])
    return _summary(rows, list(lines))


def to_piece(chain: TuneChain, tune: Piece, title: str) -> Piece:
    """A chain that the net wrote as a titled piece, in the metre, tempo and instrument of the tune it came from.

    Its key is the tune's; if it ends on another note, the one that this note names on the same scale.
    """
    melody = skyline(tune)
    labels = {"title": title, "metre": tune.metre or "4/4", "tempo_qpm": tune.tempo_qpm, "programs": melody.programs}
    piece = chain_to_piece(chain, **labels, source="musegen vae", licence=FOLK_TERMS)
    scale, final, own = -chain.shift % 12, *(int(notes["pitch"][-1]) for notes in (piece.notes, melody.notes))
    same = scale_of_key(tune.key) == scale and (final - own) % 12 == 0
    return piece.replace(key=tune.key if same else name_key(scale, final))


def _remedy(distance: float) -> str:
    """What was missing at a distance at which no variation was found, and what to do."""
    low, high = USUAL_DISTANCES
    if distance < low:
        return f"new; choose a larger one, {low:g} to {high:g}"
    if distance > high:
        return f"that can be sung; choose a smaller one, {low:g} to {high:g}"
    return "new; choose another one, or a melody with more notes"


def _read(source: Path, as_written: bool) -> ReadTune:
    piece, lines = read_for_model(source, as_written)
    piece = piece.replace(title=piece.title or source.stem)
    with named(source, piece):
        chain, told = piece_to_chain(piece)
    return ReadTune(piece, chain, [*lines, *(f"{source.name}: {line}" for line in told)])


def _write(pieces: list[Piece], out: Path, stem: str, seed: int, expression: Expression) -> list[dict[str, Any]]:
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, piece in enumerate(progress(pieces, "files"), start=1):
        file = out / f"{stem}_{number:03d}.mid"
        write_midi(played(piece, expression, seed), file)
        rows.append({"file": str(file), "notes": len(piece), "key": piece.key, **facts_of(piece)})
    return rows


def _told(start: ReadTune, end: ReadTune, path: list[TuneChain]) -> list[str]:
    """What a path does to its ends, and whether it stands still."""
    told, (short, long) = [], sorted((start, end), key=lambda tune: len(tune.chain.windows))
    if len(short.chain.windows) < len(long.chain.windows):
        kept = f"of {long.piece.title} the beginning and the last two bars are taken"
        told.append(f"{kept}: {32 * len(short.chain.windows)} sixteenths, the length of {short.piece.title}")
    if moved := end.chain.shift - path[-1].shift:
        told.append(f"{end.piece.title}: moved by {moved:+d} semitones, into the key of the first")
    still = sum(a.tokens.tobytes() == b.tokens.tobytes() for a, b in pairwise(path))
    return [*told, f"{still} steps are equal to the one before"] if still else told


def _summary(rows: list[dict[str, Any]], lines: list[str]) -> dict[str, Any]:
    return {"read": lines, "validity": sum(row["playable"] for row in rows) / len(rows), "pieces": rows}
