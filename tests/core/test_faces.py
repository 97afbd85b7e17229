"""The faces of the packages: few names, all of them found, and nothing heavy behind an import of the readers."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

FAMILIES = ("chorale", "gan", "melody", "recommend", "search", "style", "style.evaluation", "vae")
FACES = {  # package: the most names it may show
    **{f"models.{family}": 15 for family in FAMILIES},
    **dict.fromkeys(("core", "formats", "corpus", "display", "training", "lessons", "models"), 15),
    **dict.fromkeys(("encodings", "metrics"), 35),  # every lesson takes from these two
}
HEAVY = ("torch", "music21", "matplotlib", "scipy", "sklearn")


@pytest.mark.parametrize("name", FACES)
def test_a_face_has_few_names_and_finds_each(name):
    face = import_module(f"musegen_lib.{name}")
    assert 5 <= len(face.__all__) <= FACES[name]
    assert all(getattr(face, found) is not None for found in face.__all__)
    assert set(face.__all__) <= set(dir(face))
    folder = Path(face.__file__).parent
    assert [found for found in face.__all__ if (folder / f"{found}.py").exists()] == []  # a module would hide it
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = face.nothing


def test_readers_pull_in_nothing_heavy():
    names = ("formats.midi.reader", "formats.abc.reader", "formats.musicxml.reader", "encodings.melody_windows")
    imports = ", ".join(f"musegen_lib.{name}" for name in names)
    code = f"import sys, {imports}; print(*set({HEAVY!r}) & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
