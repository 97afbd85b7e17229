"""Commands that write music."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from musegen_lib.cli.output import AsWritten, Expressed, Expression, Json, Seed, SoundFontFile, print_result
from musegen_lib.core.keys import plain_key
from musegen_lib.models.registry import names_that
from musegen_lib.models.style.method_names import METHODS

Melody = Annotated[Path, typer.Argument(help="A melody: .mid, .abc, .xml, .musicxml or .mxl.")]
OneFile = Annotated[Path, typer.Option(help="The .mid file to write.")]
Folder = Annotated[Path, typer.Option(help="Folder for the .mid files.")]
FORM_HELP = (
    "Such as AABB: equal sections; of melodies only. Without --bars a section has 8 bars in dances whose parts "
    "return at once, else 4; at most 64 in all."
)
Temperature = Annotated[float, typer.Option(min=0.0, max=5.0, help="0 is the likeliest note.")]


def tour(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("out"),
    expression: Expressed = Expression.LIGHT,
    soundfont: SoundFontFile = None,
) -> None:
    """Make the first page: real and generated pieces to see and hear, in OUT/index.html."""
    from musegen_lib.cli.tour import make_tour

    page = make_tour(out, expression=expression, soundfont=soundfont)
    print(f"Open {page} in a browser. The lessons: make lab  (or: python -m jupyterlab notebooks)")


def generate(
    model: Annotated[str, typer.Argument(help=f"One of {', '.join(names_that('generate'))}.")],
    n: Annotated[int, typer.Option("--n", min=1, max=10_000, help="How many pieces.")] = 4,
    seed: Seed = 0,
    out: Folder = Path("out"),
    style: Annotated[str | None, typer.Option(help="Such as chinese, german, irish.")] = None,
    metre: Annotated[str | None, typer.Option(help="Such as 2/4, 6/8.")] = None,
    key: Annotated[str | None, typer.Option(help="Such as 'D major', 'A minor', 'D dorian', 'C gong'.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0.0, max=5.0, help="0 is the likeliest note.")] = None,
    bars: Annotated[int | None, typer.Option(min=1, max=64, help="Length in bars; of chorales to 32.")] = None,
    form: Annotated[str | None, typer.Option(help=FORM_HELP)] = None,
    expression: Expressed = Expression.LIGHT,
    json: Json = False,
) -> None:
    """Write N pieces of a trained MODEL as .mid files, each with its measured facts."""
    from musegen_lib.cli.generate import generate_files

    named_key = None if key is None else plain_key(key)
    controls = {"style": style, "metre": metre, "key": named_key, "temperature": temperature, "bars": bars}
    controls["form"] = form
    chosen = {name: value for name, value in controls.items() if value is not None}
    print_result(generate_files(model, n, seed, out, chosen, expression), json)


def harmonise(
    source: Melody,
    out: OneFile,
    seed: Seed = 0,
    method: Annotated[str, typer.Option(help="ancestral or gibbs.")] = "ancestral",
    temperature: Temperature = 0.5,
    expression: Expressed = Expression.LIGHT,
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """Write alto, tenor and bass below a melody, as a net learnt it from Bach."""
    from musegen_lib.cli.generate import harmonise_file

    print_result(harmonise_file(source, out, seed, method, temperature, as_written, expression), json)


def vary(
    source: Melody,
    out: Folder,
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help="How many variations.")] = 8,
    distance: Annotated[float, typer.Option(min=0.0, max=10.0, help="How far to go, 0.2 to 1.")] = 0.5,
    seed: Seed = 0,
    expression: Expressed = Expression.LIGHT,
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """Write variations of a melody, all different: codes near those of its bars, decoded by the VAE in its key."""
    from musegen_lib.cli.vary import vary_file

    print_result(vary_file(source, out, n, distance, seed, as_written, expression), json)


def interpolate(
    first: Melody,
    second: Annotated[Path, typer.Argument(help="Another melody.")],
    out: Folder,
    steps: Annotated[int, typer.Option(min=2, max=1000, help="Length of the path, both ends counted.")] = 9,
    expression: Expressed = Expression.LIGHT,
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """Walk from one melody to another through the VAE's codes, in the key of the first."""
    from musegen_lib.cli.vary import interpolate_files

    print_result(interpolate_files(first, second, out, steps, as_written, expression), json)


def perform(
    out: Annotated[Path, typer.Option(help="A .mid file, or a FIFO or MIDI device that plays live.")],
    seed_file: Annotated[
        Path | None, typer.Argument(help="A phrase: .mid, .abc, .xml, .musicxml or .mxl; without one, a tune of ours.")
    ] = None,
    bars: Annotated[int, typer.Option(min=1, max=200, help="Length in bars.")] = 8,
    seed: Seed = 0,
    tempo: Annotated[float | None, typer.Option(min=20, max=300, help="Quarter notes a minute.")] = None,
    temperature: Temperature = 0.9,
    expression: Expressed = Expression.LIGHT,
    real_time: Annotated[bool, typer.Option("--realtime/--fast", help="Wait for the clock, like live music.")] = False,
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """Play on from a phrase, over its chords and in its rhythm, sixteenth by sixteenth; Ctrl-C ends the music."""
    from musegen_lib.cli.perform import perform_file

    print_result(perform_file(seed_file, out, bars, seed, tempo, temperature, expression, real_time, as_written), json)


def transfer(
    source: Melody,
    to: Annotated[str, typer.Option(help="chinese or german.")],
    out: OneFile,
    method: Annotated[str, typer.Option(help=f"Who rewrites: {', '.join(METHODS)}.")] = "vae",
    amount: Annotated[float, typer.Option(help="Largest share of notes to change, 0 to 1.")] = 0.2,
    seed: Seed = 0,
    expression: Expressed = Expression.LIGHT,
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """Rewrite a melody towards Chinese or German folk song, and say what two classifiers hear and what was kept."""
    from musegen_lib.cli.transfer import transfer_file

    found = transfer_file(source, out, to, method, amount, seed, as_written, expression)
    print_result(found, json)
