"""`musegen perform`: the net plays on from the phrase in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from musegen_lib.cli.output import Expression, check_output, named
from musegen_lib.corpus import CHORALE_TERMS
from musegen_lib.encodings.chorale_steps import CHORALE_METRES
from musegen_lib.formats.files import read_for_model
from musegen_lib.models.chorale.live import play_to
from musegen_lib.models.chorale.perform import FASTEST, SLOWEST, perform, plan_performance
from musegen_lib.models.chorale.recipe import CHORALES
from musegen_lib.models.chorale.seed_phrase import four_voices, our_phrase


def perform_file(
    seed_file: Path | None,
    out: Path,
    bars: int = 8,
    number: int = 0,
    tempo: float | None = None,
    temperature: float = 0.9,
    expression: Expression = Expression.LIGHT,
    real_time: bool = False,
    as_written: bool = False,
) -> dict[str, Any]:
    """`musegen perform`: the shipped net plays on from a file, or from `our_phrase`, on one core.

    Without a tempo it takes the phrase's mean, kept between SLOWEST and FASTEST.
    """
    check_output(out, seed_file)
    phrase, lines = read_for_model(seed_file, as_written) if seed_file else (our_phrase(), [])
    torch.set_num_threads(1)  # two threads are slower for a net this small
    mean = phrase.n_steps / phrase.steps_per_beat * 60 / phrase.seconds
    if phrase.tempo_changes and not tempo:
        lines = [*lines, f"the tempo changes; the mean, {mean:.0f} quarter notes a minute, is played"]
    tempo = tempo or min(max(mean, SLOWEST), FASTEST)
    with named(seed_file, phrase):
        seed = four_voices(phrase, number)
    metre = phrase.metre if phrase.steps_per_bar == CHORALE_METRES[seed.metre] else seed.metre
    if phrase.metre not in (None, metre):
        told = f"metre {phrase.metre}: the net plays bars of {metre}, and as many of these as --bars says"
        lines = [*lines, f"{(seed_file or out).name}: {told}"]
    expressed = expression == Expression.LIGHT
    title = f"after {phrase.title or (seed_file or out).stem}"
    source = f"musegen perform, seed {number}" + (f"; phrase: {phrase.source}" if phrase.source else "")
    licence = f"{CHORALE_TERMS}; phrase: {phrase.licence}" if phrase.licence else CHORALE_TERMS
    plan = plan_performance(seed, bars, number, tempo, expressed)
    plan = plan.replace(title=title, source=source, licence=licence, metre=metre)
    steps = perform(CHORALES.load_once(), seed, bars, number, temperature, tempo, expressed)
    found = play_to(out, steps, plan, real_time)
    return {"file": str(out), "seed": number, "tempo": tempo, "read": lines} | found
