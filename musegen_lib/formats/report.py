"""What reading a file lost, moved, repaired or took for granted, for any format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

COMPLETE = "read completely"


def count(phrase: str) -> Any:
    """A field of a report: how often something happened that `phrase` says."""
    return field(default=0, metadata={"phrase": phrase})


@dataclass(frozen=True)
class Report:
    """What moving the notes onto a grid did, and `remarks`; each format adds its own counts. `str` is one line."""

    notes_moved: int = count("notes moved onto the grid")
    largest_move_beats: float = 0.0
    notes_lengthened: int = count("notes shorter than a step lengthened to one")
    notes_dropped: int = count("notes dropped for a neighbour on the same step")
    notes_merged: int = count("notes dropped for a longer one of the same voice, pitch and onset")
    notes_trimmed: int = count("notes ended where their voice strikes the pitch again")
    remarks: tuple[str, ...] = ()  # what is no count, such as which of two metres was taken

    def __str__(self) -> str:
        parts = [
            f"{each.metadata['phrase']}: {getattr(self, each.name)}"
            for each in fields(self)
            if "phrase" in each.metadata and getattr(self, each.name)
        ]
        if self.notes_moved:
            parts[0] += f" (by at most {self.largest_move_beats:.3g} beats)"
        return "; ".join([*parts, *self.remarks]) or COMPLETE


@dataclass(frozen=True)
class NotationReport(Report):
    """The report of ABC and MusicXML."""

    grace_notes: int = count("grace notes left out")
    unisons: int = count("unisons of two layers kept once")
    cue_notes: int = count("cue notes left out")
    ornaments: int = count("ornaments read as their plain notes")
    microtones: int = count("notes between two semitones moved to one")
    repeats: int = count("repeats and jumps left as written")
    irregular_bars: int = count("bars of another length than the metre")
    odd_bars: int = count("bars of a length that no metre has, after which bar lines are off")
    other_metres: int = count("metres that contradict the first part's left out")
    staff_keys: int = count("keys of a second staff left out")
    instruments_unknown: int = count("instruments not known, taken as piano")
    other_programs: int = count("notes of a part's second instrument given to its first")
    drums_guessed: int = count("drum notes without a drum in the file guessed from their line")
    unread: int = count("signs not understood and passed over")


def total(reports: Sequence[Report]) -> Report:
    """One report for several of a kind: counts added up, remarks once each."""
    found: dict[str, Any] = {}
    for each in fields(reports[0]):
        values = [getattr(report, each.name) for report in reports]
        if each.name == "remarks":
            found[each.name] = tuple(dict.fromkeys(remark for value in values for remark in value))
        else:
            found[each.name] = max(values) if each.name == "largest_move_beats" else sum(values)
    return replace(reports[0], **found)
