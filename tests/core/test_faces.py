"""The faces of the packages: few names, all of them found, and nothing heavy behind an import of the readers."""

import subprocess
import sys
from importlib import import_module

import pytest

FACES = ("core", "formats", "encodings", "display", "metrics")
HEAVY = ("torch", "music21", "matplotlib", "scipy", "sklearn")


@pytest.mark.parametrize("name", FACES)
def test_a_face_has_few_names_and_finds_each(name):
    face = import_module(f"musegen_lib.{name}")
    assert 5 <= len(face.__all__) <= 15
    assert all(getattr(face, found) is not None for found in face.__all__)
    assert dir(face) == sorted(face.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = face.nothing


def test_readers_pull_in_nothing_heavy():
    names = ("formats.midi.reader", "formats.abc.reader", "formats.musicxml.reader", "encodings.melody_windows")
    imports = ", ".join(f"musegen_lib.{name}" for name in names)
    code = f"import sys, {imports}; print(*set({HEAVY!r}) & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
