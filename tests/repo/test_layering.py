"""The contracts on imports in pyproject.toml hold (`make lint` runs them), and each catches a fault planted for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
STYLE = "no method of style transfer imports its evaluation"
FACE = "no family asks the face of all families"
FAULTS = {  # contract: the file that breaks it, and the line
    "imports point down": ("metrics/bars.py", "from musegen_lib.training import ShippedNet"),
    "families stand on those below them": ("models/melody/markov.py", "import musegen_lib.models.registry"),
    "no torch in core, formats, corpus, encodings, display and metrics": ("metrics/bars.py", "from torch import nn"),
    STYLE: ("models/style/methods.py", "from musegen_lib.models.style.evaluation import transfer_report"),
    FACE: ("models/recommend/als.py", "from musegen_lib.models import find_recipe"),
}


def broken_contracts(folder):
    run = subprocess.run(LINT, cwd=folder, capture_output=True, text=True, check=False)
    verdicts = [line for line in run.stdout.splitlines() if line.endswith((" KEPT", " BROKEN"))]
    assert len(verdicts) == len(FAULTS), run.stdout
    return [line.removesuffix(" BROKEN") for line in verdicts if line.endswith(" BROKEN")]


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "musegen_lib", tmp_path / "musegen_lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_hold():
    assert broken_contracts(ROOT) == []


@pytest.mark.parametrize("contract", FAULTS)
def test_a_planted_import_breaks_its_contract(copy, contract):
    file, line = FAULTS[contract]
    path = copy / "musegen_lib" / file
    path.write_text(path.read_text() + f"\n{line}\n")
    assert contract in broken_contracts(copy)
