"""Fill a real, small disk to random levels and write to it: a clear error, the old file whole, nothing left behind.

    python tests/trust/full_disks.py [--rounds 20]

The disk is a file system of 512 kB in memory, which Linux lets anyone mount in a namespace of their own (`unshare`).
Where that is not to be had, a limit on the size of files stands in for it.
"""

from __future__ import annotations

import argparse
import errno
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))
SIZE = 512 * 1024
NO_ROOM = (f"[Errno {errno.ENOSPC}]", f"[Errno {errno.EFBIG}]")
INSIDE = "MUSEGEN_SMALL_DISK"  # set for the process that runs in the namespace


def writers() -> dict[str, tuple[str, Callable[[Path, int], object]]]:
    """What writes files: name -> (file name, call with a path and a seed)."""
    import nbformat
    import numpy as np
    import torch

    from musegen_lib.core.piece import Piece
    from musegen_lib.corpus.cache import write_arrays
    from musegen_lib.display.figures import write_piano_roll
    from musegen_lib.display.sound import write_mp3
    from musegen_lib.formats.midi.reader import write_midi
    from musegen_lib.lessons.notebooks import write
    from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
    from musegen_lib.training.checkpoints import write_checkpoint, write_state

    def piece(seed: int) -> Piece:
        return Piece.from_notes([(n, 1, 40 + (n * 7 + seed) % 60) for n in range(600)], tempo_qpm=900.0)

    def net(seed: int) -> MelodyRNN:
        torch.manual_seed(seed)
        return MelodyRNN(MelodyRNNConfig("gru", hidden_dim=16, embedding_dim=8))

    def book(seed: int) -> nbformat.NotebookNode:
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"{seed} " * 9000, id="a")])

    return {
        "training state": ("last.safetensors", lambda path, seed: write_state(path, net(seed).state_dict(), {})),
        "checkpoint": ("net.safetensors", lambda path, seed: write_checkpoint(path, net(seed), {"seed": seed})),
        "cache": ("tunes.npz", lambda path, seed: write_arrays(path, {"pitch": np.arange(4000) + seed})),
        "MIDI": ("tune.mid", lambda path, seed: write_midi(piece(seed), path)),
        "MP3": ("tune.mp3", lambda path, seed: write_mp3(piece(seed).excerpt(4), path)),
        "picture": ("tune.png", lambda path, seed: write_piano_roll(piece(seed).excerpt(2), path)),
        "notebook": ("lesson.ipynb", lambda path, seed: write(book(seed), path)),
    }


def attack(disk: Path, rounds: int, is_small: bool) -> Counter:
    """Write every kind of file with little room on the disk; return how often it failed and how often it fitted."""
    ends: Counter = Counter()
    for name, (file, write) in writers().items():
        path = disk / file
        write(path, 0)
        size = sum(old.stat().st_size for old in disk.iterdir())
        for seed in range(1, rounds + 1):
            before = contents(disk)
            with little_room(disk, random.Random(seed).randrange(2 * size), is_small):
                complaint = complaint_of(write, path, seed)
            ends[f"{name}: {'refused' if complaint else 'fitted'}"] += 1
            if not complaint:
                continue
            assert "cannot be written" in complaint or complaint.startswith(NO_ROOM), complaint
            assert contents(disk) == before, f"{name}: something was lost, or left behind"
        for old in disk.iterdir():
            old.unlink()
    return ends


def complaint_of(write: Callable[[Path, int], object], path: Path, seed: int) -> str:
    """What a writer says when it fails."""
    from musegen_lib.core.errors import MusegenError

    try:
        write(path, seed)
    except (MusegenError, OSError) as fault:
        return str(fault)
    return ""


def contents(disk: Path) -> dict[str, bytes]:
    """Every file, hidden ones too."""
    return {path.name: path.read_bytes() for path in disk.iterdir() if path.name != "filler"}


@contextmanager
def little_room(disk: Path, room: int, is_small: bool) -> Iterator[None]:
    """Leave so many bytes free, or let no file be larger."""
    if is_small:
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filler").write_bytes(bytes(max(0, free - room)))
    else:
        usual = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))
    try:
        yield
    finally:
        if is_small:
            (disk / "filler").unlink()
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def main() -> int:
    """Mount the small disk if that is possible, and go inside."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    inside = os.environ.get(INSIDE)
    with tempfile.TemporaryDirectory() as folder:
        mount = f'mount -t tmpfs -o size={SIZE} none "{folder}" && exec "$0" "$@"'
        command = ["unshare", "-rm", "sh", "-c", mount, sys.executable, __file__, "--rounds", str(rounds)]
        if inside is None and may_mount(folder):
            return subprocess.run(command, env=os.environ | {INSIDE: folder}, check=False).returncode
        ends = attack(Path(inside or folder), rounds, is_small=inside is not None)
    where = f"a disk of {SIZE // 1024} kB" if inside else "files limited in size"
    print(f"{where}: {', '.join(f'{end} {count}' for end, count in sorted(ends.items()))}; nothing lost")
    return 0


def may_mount(folder: str) -> bool:
    """True where the system lets us mount a small disk."""
    try:
        trial = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", folder]
        return subprocess.run(trial, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())
