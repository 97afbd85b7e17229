"""Commands that need no net load no torch, and nothing of the size of it."""

import subprocess
import sys

import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.formats.midi.reader import write_midi

COMMANDS = {
    "--help": (),
    "generate --help": (),
    "transfer --help": (),
    "check tune.mid": ("music21",),
    "convert tune.mid --to svg --out tune.svg": ("scipy", "matplotlib"),
    "convert tune.mid --to abc --out tune.abc": ("scipy", "matplotlib", "music21"),
}
RUN = """
import sys
from musegen_lib.cli.main import app
app(sys.argv[1:], standalone_mode=False)
print("loaded:", *(name for name in {names} if name in sys.modules))
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_loads_no_torch_and_no_library_of_another_task(command, tmp_path):
    write_midi(Piece.from_notes([(4 * i, 4, 60 + i) for i in range(8)], metre="4/4"), tmp_path / "tune.mid")
    code = RUN.format(names=("torch", "sklearn", "lightning_fabric", *COMMANDS[command]))
    done = subprocess.run([sys.executable, "-c", code, *command.split()], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "loaded:", done.stdout + done.stderr
