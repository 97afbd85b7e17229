"""The command `musegen`. Each command is a few lines over the library; faults are one line and exit status 1."""

from __future__ import annotations

import json as json_module
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from musegen_lib.cli.recommend import recommend_app
from musegen_lib.cli.transfer import transfer
from musegen_lib.core.errors import MusegenError

app = typer.Typer(help="Music from neural networks: hear it, train it, measure it.", no_args_is_help=True)
data_app = typer.Typer(help="The music corpus in data/cache.", no_args_is_help=True)
midi_app = typer.Typer(help="Foreign MIDI files.", no_args_is_help=True)
notebook_app = typer.Typer(help="The lessons.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(midi_app, name="midi")
app.add_typer(notebook_app, name="notebook")
app.add_typer(recommend_app, name="recommend")
app.command()(transfer)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same bytes.")]


class Format(StrEnum):
    """What `convert` writes."""

    MP3 = "mp3"
    SVG = "svg"
    PNG = "png"
    ABC = "abc"
    MUSICXML = "musicxml"
    MID = "mid"


def main() -> None:
    """Run the command line; a fault of the user's files or wishes is one line on standard error and status 1."""
    try:
        app(prog_name="musegen")
    except MusegenError as fault:
        sys.exit(f"musegen: {fault}")
    except OSError as fault:  # a full disk, a folder without leave to write, a file where a folder is wanted
        sys.exit(f"musegen: {fault.filename or 'a file'}: {fault.strerror or fault}; check the path and the disk")


@app.command()
def tour(out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("out")) -> None:
    """Make the first page: real and generated pieces to see and hear, in OUT/index.html."""
    from musegen_lib.cli.tour import make_tour

    page = make_tour(out)
    print(f"Open {page} in a browser. The lessons: make lab  (or: python -m jupyterlab notebooks)")


@app.command()
def generate(
    model: str,
    n: Annotated[int, typer.Option("--n", min=1, max=10_000, help="How many pieces.")] = 4,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder for the .mid files.")] = Path("out"),
    style: Annotated[str | None, typer.Option(help="Such as chinese, german, irish.")] = None,
    metre: Annotated[str | None, typer.Option(help="Such as 2/4, 6/8.")] = None,
    key: Annotated[str | None, typer.Option(help="Such as 'D major', 'A minor', 'D dorian'.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0.0, max=5.0, help="0 is the likeliest note.")] = None,
    bars: Annotated[int | None, typer.Option(min=1, max=64, help="Length in bars.")] = None,
    json: Json = False,
) -> None:
    """Write N pieces of a trained MODEL as .mid files, each with its measured facts."""
    from musegen_lib.formats.midi.reader import write_midi
    from musegen_lib.models.facts import facts_of
    from musegen_lib.models.registry import find_recipe

    wishes = {"style": style, "metre": metre, "key": key, "temperature": temperature, "bars": bars}
    pieces = find_recipe(model).generate(n, seed, **{name: wish for name, wish in wishes.items() if wish is not None})
    rows = []
    for number, piece in enumerate(pieces, start=1):
        file = out / f"{model}_{number:03d}.mid"
        out.mkdir(parents=True, exist_ok=True)
        write_midi(piece, file)
        rows.append({"file": str(file), "title": piece.title, "notes": len(piece)} | facts_of(piece))
    validity = sum(row["playable"] for row in rows) / len(rows)
    _say({"model": model, "seed": seed, "validity": validity, "pieces": rows}, json)


@app.command()
def train(
    model: str,
    out: Annotated[Path | None, typer.Option(help="Checkpoint to write; default data/checkpoints/MODEL.")] = None,
    seed: Seed = 0,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps; default is the recipe's.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Train for so long; default is the recipe's.")] = None,
    data: Annotated[Path | None, typer.Option(help="File of frames, for chorales-frames only.")] = None,
    json: Json = False,
) -> None:
    """Train MODEL by its recipe and write a checkpoint with its card; a stopped run goes on where it was."""
    from musegen_lib.core.paths import check_writable, data_dir
    from musegen_lib.models.chorale.frames_recipe import NAME, train_frames
    from musegen_lib.models.registry import TRAINED_ONLY, find_recipe

    path = out or data_dir() / "checkpoints" / f"{model}.safetensors"
    limits = {name: limit for name, limit in (("steps", steps), ("minutes", minutes)) if limit is not None}
    recipe = None if model == NAME else TRAINED_ONLY.get(model) or find_recipe(model)
    check_writable(path)
    if recipe is None:
        data = _wanted(data, f"{NAME} learns from a file: give --data FILE.json")
        card = train_frames(data, path, minutes, seed, steps)
    else:
        card = recipe.train(path, seed, **limits)
    _say(card | {"checkpoint": str(path)}, json)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A model's name, a checkpoint of chorales-frames, or transfer.")],
    split: Annotated[str, typer.Option("--split", "--part", help="valid or test.")] = "valid",
    data: Annotated[Path | None, typer.Option(help="File of frames, for such a checkpoint.")] = None,
    n_tunes: Annotated[int | None, typer.Option(help="For transfer: tunes of each style; default all.")] = None,
    amount: Annotated[float, typer.Option(help="For transfer: largest share of notes to change.")] = 0.2,
    json: Json = False,
) -> None:
    """Measure MODEL on held-out music; `transfer` measures every way to rewrite a melody in another style."""
    if model == "transfer":
        from musegen_lib.cli.transfer import say_table

        say_table(split, n_tunes, amount, json)
        return
    from musegen_lib.models.chorale.frames_recipe import evaluate_frames
    from musegen_lib.models.registry import find_recipe

    if split not in ("valid", "test"):
        raise MusegenError(f"split {split!r} is unknown; use valid or test")
    if data is None and not model.endswith(".safetensors"):
        _say(find_recipe(model).evaluate(split), json)
    else:
        data = _wanted(data, f"{model} is measured on a file: give --data FILE.json")
        _say(evaluate_frames(Path(model), data, split), json)


@app.command()
def harmonise(
    source: Annotated[Path, typer.Argument(help="A melody: .mid, .abc, .xml, .musicxml or .mxl.")],
    out: Annotated[Path, typer.Option(help="The .mid file to write.")],
    seed: Seed = 0,
    method: Annotated[str, typer.Option(help="ancestral or gibbs.")] = "ancestral",
    temperature: Annotated[float, typer.Option(min=0.0, max=5.0, help="0 is the likeliest note.")] = 0.8,
    json: Json = False,
) -> None:
    """Write alto, tenor and bass below a melody, as a net learnt it from Bach."""
    from musegen_lib.cli.convert import read_on_sixteenths
    from musegen_lib.formats.midi.reader import write_midi
    from musegen_lib.models.chorale.harmonise import harmonise as below
    from musegen_lib.models.facts import facts_of

    piece, lines = read_on_sixteenths(source)
    made = below(piece, seed, method, temperature)[0]
    write_midi(made, out)
    _say({"file": str(out), "method": method, "seed": seed, "notes": len(made), "read": lines} | facts_of(made), json)


@app.command()
def vary(
    source: Annotated[Path, typer.Argument(help="A melody: .mid, .abc, .xml, .musicxml or .mxl.")],
    out: Annotated[Path, typer.Option(help="Folder for the .mid files.")],
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help="How many variations.")] = 8,
    distance: Annotated[float, typer.Option(min=0.0, max=10.0, help="How far to go; 0 is the round trip.")] = 0.5,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Write variations of the first two bars of a melody: codes near its own, unfolded by the VAE."""
    from musegen_lib.cli.vary import vary_file

    _say(vary_file(source, out, n, distance, seed), json)


@app.command()
def interpolate(
    first: Annotated[Path, typer.Argument(help="A melody: .mid, .abc, .xml, .musicxml or .mxl.")],
    second: Annotated[Path, typer.Argument(help="Another melody.")],
    out: Annotated[Path, typer.Option(help="Folder for the .mid files.")],
    steps: Annotated[int, typer.Option(min=2, max=1000, help="Length of the path, both ends counted.")] = 9,
    json: Json = False,
) -> None:
    """Walk from the first two bars of one melody to those of another through the VAE's codes."""
    from musegen_lib.cli.vary import interpolate_files

    _say(interpolate_files(first, second, out, steps), json)


@app.command()
def perform(
    out: Annotated[Path, typer.Option(help="A .mid file, or a FIFO or MIDI device that plays live.")],
    seed_file: Annotated[
        Path | None, typer.Argument(help="A phrase: .mid, .abc, .xml, .musicxml or .mxl; without one, a tune of ours.")
    ] = None,
    bars: Annotated[int, typer.Option(min=1, max=200, help="Length in bars.")] = 8,
    seed: Seed = 0,
    tempo: Annotated[float | None, typer.Option(min=20, max=300, help="Quarter notes a minute.")] = None,
    temperature: Annotated[float, typer.Option(min=0.0, max=5.0, help="0 is the likeliest note.")] = 0.9,
    expression: Annotated[bool, typer.Option(help="Shape loudness and timing by the phrase.")] = True,
    real_time: Annotated[bool, typer.Option("--realtime/--fast", help="Wait for the clock, like live music.")] = False,
    json: Json = False,
) -> None:
    """Play on from a phrase, over its chords and in its rhythm, sixteenth by sixteenth; Ctrl-C ends the music."""
    from musegen_lib.cli.perform import perform_file

    _say(perform_file(seed_file, out, bars, seed, tempo, temperature, expression, real_time), json)


@app.command()
def study(
    name: str,
    out: Annotated[Path | None, typer.Option(help="File to write; default data/studies/NAME.json.")] = None,
) -> None:
    """Run one of the long experiments that the lessons draw; takes 5 to 20 minutes on one core."""
    from data.studies.run import run_study

    print(f"{name}: {run_study(name, out)['minutes_on_one_core']} minutes")


@app.command()
def bench(
    out: Annotated[Path, typer.Option(help="Folder for bench.json and bench.md.")] = Path("out"),
    keep: Annotated[bool, typer.Option("--keep", help="Write the committed table, data/bench.md.")] = False,
    notebooks: Annotated[bool, typer.Option(help="Run every lesson and time it.")] = True,
) -> None:
    """Measure speeds beside peers, model figures and lessons; say what changed against the committed table."""
    from musegen_lib.core.paths import committed
    from tests.bench.run import bench as measure
    from tests.bench.table import changes, read_table, write_table

    before, now = read_table(committed("bench.json")), measure(notebooks)
    folder = committed("bench.json").parent if keep else out
    write_table(now, folder)
    print((folder / "bench.md").read_text(encoding="utf-8"))
    moved = changes(before, now)
    print(
        f"{len(moved)} of {len(now)} figures differ from the committed table by more than they may:", *moved, sep="\n"
    )


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A .mid, .abc, .xml, .musicxml or .mxl file.")],
    to: Annotated[Format, typer.Option(help="The form to write.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Turn a file into sound, picture, notation or MIDI."""
    from musegen_lib.cli.convert import convert_file

    for line in convert_file(source, to.value, out):
        print(line)


@data_app.command("build")
def data_build() -> None:
    """Build the caches anew from the installed music21 (about 15 seconds)."""
    from musegen_lib.corpus import build_caches

    build_caches()


@data_app.command("verify")
def data_verify() -> None:
    """Check the caches byte by byte; rebuild a damaged one."""
    from musegen_lib.corpus import verify_caches

    verify_caches()


@data_app.command("card")
def data_card(json: Json = False) -> None:
    """Print what the corpus holds: counts, splits, terms."""
    from musegen_lib.corpus.card import corpus_card

    _say(corpus_card(), json)


@midi_app.command("check")
def midi_check(files: list[Path]) -> None:
    """Say of each file whether it can be read, and what had to be repaired; status 1 if any cannot."""
    from musegen_lib.formats.midi.reader import check_midi

    verdicts = check_midi(files)
    for path, ok, message in verdicts:
        print(f"{'ok ' if ok else 'BAD'} {path}: {message}")
    if not all(ok for _, ok, _ in verdicts):
        raise typer.Exit(1)


@notebook_app.command("run")
def notebook_run(notebooks: list[Path]) -> None:
    """Run notebooks from a fresh kernel and keep their outputs in place."""
    from musegen_lib.lessons.notebooks import execute

    for path in notebooks:
        print(f"{path}: {execute(path):.0f} s")


@app.command()
def student(notebook: Path, out: Annotated[Path, typer.Option(help="The notebook to write.")]) -> None:
    """Write the version of a NOTEBOOK for students: no solutions, no outputs."""
    from musegen_lib.lessons.notebooks import student_version

    print(student_version(notebook, out))


@app.command()
def ledger(
    root: Annotated[Path, typer.Option(help="The clone whose book is written.")] = Path(__file__).parents[1],
) -> None:
    """Write the pages of the book that quote recorded values; status 1 if a lesson did not record one."""
    from book._tools.ledger_pages import write_pages

    faults = write_pages(root)
    for fault in faults:
        print(fault)
    if faults:
        raise typer.Exit(1)


def _wanted(value: Any, otherwise: str) -> Any:
    if value is None:
        raise MusegenError(otherwise)
    return value


def _say(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json_module.dumps(result, indent=2, ensure_ascii=False))
        return
    for name, value in result.items():
        if isinstance(value, list):
            for row in value:
                print("  ".join(_text(cell) for cell in row.values()) if isinstance(row, dict) else row)
        else:
            print(f"{name}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(cell)}" for name, cell in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
