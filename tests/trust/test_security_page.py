"""The limits that SECURITY.md states are those of the code."""

from pathlib import Path

import pytest

from musegen_lib.core import limits
from musegen_lib.display import sound as listen
from musegen_lib.display import soundfont, soundfont_tables
from musegen_lib.formats import repeats
from musegen_lib.formats.abc import reader as abc
from musegen_lib.formats.midi.messages import LIMITS
from musegen_lib.formats.musicxml import score as musicxml_score
from musegen_lib.formats.musicxml import zipped as musicxml
from musegen_lib.models.chorale import frame_batches
from musegen_lib.training import checkpoints

PAGE = (Path(__file__).resolve().parents[2] / "SECURITY.md").read_text(encoding="utf-8")
STATED = {
    "MIDI: file, events, notes": f"{LIMITS.file_bytes:,} bytes, {LIMITS.events:,} events, {LIMITS.notes:,} notes",
    "MIDI: tracks, voices, changes of tempo, metre and key": f"{LIMITS.tracks}, {LIMITS.voices}, {LIMITS.changes:,}",
    "MIDI: length": f"tick {LIMITS.ticks:,} and {LIMITS.seconds / 3600:g} hours",
    "ABC: file, tunes, notes and length of a tune": f"{abc.MAX_BYTES // 10**6} MB, {abc.MAX_TUNES:,} tunes, "
    f"{limits.MAX_NOTES:,} notes, {limits.MAX_BEATS:,} quarter notes",
    "MusicXML: file or what an .mxl unpacks to, notes, length": f"{musicxml.MAX_BYTES // 10**6} MB, "
    f"{limits.MAX_NOTES:,} notes, {limits.MAX_BEATS:,} quarter notes; no entities",
    "MusicXML: measures of all parts": f"{musicxml_score.MAX_MEASURES:,}",
    "repeats, played: bars, jumps": f"{repeats.MAX_PLAYED:,}, {repeats.MAX_SPANS:,}",
    "any music: bars": f"{limits.MAX_BARS:,}",
    "to be drawn or written as notation": f"{limits.MAX_WRITTEN:,} notes and bars",
    "to be heard": f"{listen.MAX_FILE_SECONDS:g} s",
    "sound fonts: file, recordings of a note, of a piece": f"{soundfont_tables.MAX_BYTES // 10**6} MB, "
    f"{soundfont.MAX_ZONES}, {listen.MAX_RECORDING_SECONDS:,.0f} s",
    "weights: file; a number in a config; layers": f"{checkpoints.MAX_BYTES // 10**6} MB, {checkpoints.MAX_SIZE:,}, "
    f"{checkpoints.MAX_LAYERS:,}, and {checkpoints.ROOM} times the weights of the file",
    "files of frames": f"{frame_batches.LARGEST_FILE // 10**6} MB",
}


@pytest.mark.parametrize("what", STATED)
def test_a_limit_is_stated_as_it_is_enforced(what):
    assert f"| {what} | {STATED[what]} |" in PAGE


def test_every_row_of_the_limits_is_tested():
    rows = PAGE.partition("## Limits that are enforced")[2].partition("\n\nEvery door")[0].splitlines()
    assert len([row for row in rows if row.startswith("| ")]) == 1 + len(STATED)


def test_the_page_shows_a_run_of_the_fuzzer_without_faults():
    table = PAGE.partition("<!-- fuzz -->")[2].partition("<!-- end -->")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    assert rows[0][:5] == ["files", "tried", "read", "refused", "faults"]
    assert len(rows) > 15
    assert {row[4] for row in rows[1:]} == {"0"}
