"""Kill -9 at five random moments of training and saving; `make fuzz` does it fifty times and more."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot fork")
def test_after_five_kills_every_checkpoint_loads_and_the_run_ends_bit_for_bit_as_if_nobody_had_killed_it():
    command = [sys.executable, "kills.py", "--kills", "5", "--seed", "3"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=TESTS)
    assert run.returncode == 0, run.stderr
    kills = re.findall(r"(\d+) killed while (?:saving|working)", run.stdout)
    assert sum(map(int, kills)) == 5
    assert run.stdout.count("nothing lost") == 2
