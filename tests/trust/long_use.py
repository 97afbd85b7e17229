"""Much music in one process, and several processes at once.

    python tests/trust/long_use.py [--pieces 2000] [--players 500]

Memory must stay within 5 % of what it was after a tenth of the work, and no file may stay open. Then three processes
start at once in an empty data folder: each builds the caches it needs and trains; none disturbs another.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

TESTS = Path(__file__).parent
GROWTH = 1.05
AT_ONCE = """
import pathlib, sys, time
import torch
torch.set_num_threads(1)
from musegen_lib.corpus import corpus_fingerprint, load_chorales, load_folk_tunes
from musegen_lib.recipes.chorale import CHORALES
here, seed = pathlib.Path.cwd(), int(sys.argv[1])
(here / f"ready{seed}").touch()
while len(list(here.glob("ready?"))) < 3:
    time.sleep(0.001)
print(corpus_fingerprint("chorales"), corpus_fingerprint("folk"), len(load_chorales()), len(load_folk_tunes()))
CHORALES.train(here / f"net{seed}.safetensors", seed=seed, steps=3)
"""


def megabytes() -> float:
    """Memory that the process holds; what is free to be given back is given back first."""
    gc.collect()
    text = Path("/proc/self/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def open_files() -> set[str]:
    """What the process holds open, apart from pipes and sockets."""
    found = {os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if _is_open(number)}
    return {name for name in found if name.startswith("/") and not name.startswith(("/dev", "/proc"))}


def _is_open(number: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{number}")


def make_music(n_pieces: int, n_players: int, tenths: int = 10) -> list[float]:
    """Write pieces with the melody models, as MIDI too, and render players, in ten parts; memory after each."""
    import soundfile

    from musegen_lib.display.sound import player
    from musegen_lib.formats.midi.reader import parse_midi, piece_to_midi
    from musegen_lib.models.registry import RECIPES, names_that

    names, sizes = [name for name in names_that("generate") if name != "rnn-chorales"], []
    for part in range(tenths):
        pieces = []
        for turn, name in enumerate(names):
            pieces += RECIPES[name].generate(n_pieces // tenths // len(names), seed=part * 100 + turn)
        for piece in pieces:
            assert parse_midi(piece_to_midi(piece), "ours")[0] == piece
        for piece in pieces[: n_players // tenths]:
            heard, _ = soundfile.read(io.BytesIO(player(piece, "a tune", seconds=6).mp3))
            assert heard.max() > 0.1
        sizes.append(megabytes())
    return sizes


def at_once(seconds: float = 900) -> list[float]:
    """Three processes build all caches and train at once; then each alone, whose nets must be the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        command, env = [sys.executable, "-c", AT_ONCE], os.environ | {"MUSEGEN_DATA": str(here / "data")}
        options = {"cwd": here, "env": env, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        started = time.monotonic()
        together = [subprocess.Popen([*command, str(seed)], **options) for seed in range(3)]
        said = [process.communicate(timeout=seconds)[0].splitlines()[-2:] for process in together]
        taken = [time.monotonic() - started]
        assert [process.returncode for process in together] == [0, 0, 0], said
        assert len({lines[0] for lines in said}) == 1, said  # all read the same corpus
        nets = {path.name: sha256(path.read_bytes()).hexdigest() for path in here.glob("net?.safetensors")}
        assert len(nets) == 3
        assert not [path for path in here.rglob("*") if path.name.endswith(".tmp")]
        again = here / "again"
        again.mkdir()
        for ready in range(3):
            (again / f"ready{ready}").touch()
        subprocess.run([*command, "1"], **options | {"cwd": again}, check=True)
        assert sha256((again / "net1.safetensors").read_bytes()).hexdigest() == nets["net1.safetensors"]
        return [*taken, time.monotonic() - started - taken[0]]


def main() -> None:
    """Both tests, with a line each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pieces", type=int, default=2000)
    parser.add_argument("--players", type=int, default=500)
    parser.add_argument("--skip-processes", action="store_true")
    wish = parser.parse_args()
    before = open_files()
    sizes = make_music(wish.pieces, wish.players)
    left = open_files() - before
    print(f"{wish.pieces} pieces and {wish.players} players: {' '.join(f'{size:.0f}' for size in sizes)} MB")
    assert max(sizes[1:]) < GROWTH * sizes[0], "memory grows"
    assert not left, f"left open: {left}"
    if not wish.skip_processes:
        together, alone = at_once()
        print(
            f"three processes build caches and train at once in {together:.0f} s ({alone:.0f} s for one): the same nets"
        )


if __name__ == "__main__":
    main()
