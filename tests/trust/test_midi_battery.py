"""Every case of the battery has its one outcome, in this process and in one with limits on time and memory."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from midi_battery import CASES

from musegen_lib.core.errors import MusegenError
from musegen_lib.formats.midi.reader import parse_midi
from musegen_lib.formats.midi.scan import scan

TESTS = Path(__file__).parent


@pytest.mark.parametrize("name", CASES)
def test_a_case_has_its_outcome_and_says_what_was_dropped(name):
    case, started = CASES[name], time.process_time()
    if case.refused:
        with pytest.raises(MusegenError) as caught:
            parse_midi(case.data, "case.mid")
        assert case.refused in str(caught.value)
        assert str(caught.value).startswith("case.mid: ")
        assert str(caught.value).isprintable()
    else:
        piece, report = parse_midi(case.data, "case.mid")
        assert case.notes is None or [row[:3] for row in piece.notes.tolist()] == case.notes
        assert case.report in str(report)
        assert len(piece) + report.unended_notes + report.notes_merged == scan(case.data, "case.mid").n_note_ons
    assert time.process_time() - started < 3


@pytest.mark.skipif(os.name == "nt", reason="the sandbox forks")
def test_every_case_has_the_same_outcome_in_a_process_with_limits():
    """Under a second of processor time and 200 MB each, or the child dies and the verdict says of what."""
    wish = {"module": "musegen_lib.formats.midi.reader", "reader": "read_midi", "suffix": ".mid"}
    wish |= {"inputs": [case.data.hex() for case in CASES.values()]}
    command = [sys.executable, str(TESTS / "sandbox.py")]
    run = subprocess.run(command, input=json.dumps(wish), capture_output=True, text=True, check=True, cwd=TESTS)
    verdicts = dict(zip(CASES, json.loads(run.stdout), strict=True))
    wanted = {name: "refused" if case.refused else "read" for name, case in CASES.items()}
    assert {name: verdict["outcome"] for name, verdict in verdicts.items()} == wanted, verdicts
    assert max(verdict["seconds"] for verdict in verdicts.values()) < 3
    assert max(verdict["megabytes"] for verdict in verdicts.values()) < 200


def test_the_battery_holds_every_class_of_damage():
    assert len(CASES) > 100
    assert sum(bool(case.refused) for case in CASES.values()) > 60
