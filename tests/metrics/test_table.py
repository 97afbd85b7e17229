"""The table of real, shuffled and noise: every metric puts them in the order it should."""

import math

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.encodings.arrays import grid_to_piece, piece_to_grid
from musegen_lib.metrics.reference import noise_like, shuffle_frames, shuffle_notes
from musegen_lib.metrics.table import MELODY_METRICS, VOICE_METRICS, format_table, metric_table

ORDER = {  # of melodies: = equal, < > by more than three standard errors, ~ within a tenth, . no claim
    "scale consistency": "real = shuffled > noise",
    "key fit": "real = shuffled > noise",
    "pitch class entropy": "real = shuffled < noise",
    "pitch entropy": "real = shuffled < noise",
    "pitch range": "real = shuffled ~ noise",
    "pitches used": "real = shuffled < noise",
    "pitch classes used": "real = shuffled < noise",
    "pitch classes a bar": "real < shuffled < noise",
    "leaps over a fifth": "real < shuffled < noise",
    "notes a bar": "real ~ shuffled ~ noise",
    "inter-onset interval": "real ~ shuffled ~ noise",
    "groove consistency": "real > shuffled > noise",
    "groove similarity": "real > shuffled > noise",
    "notes of an eighth or more": "real = shuffled > noise",
    "empty bars": "real = shuffled = noise",
    "empty beats": "real > shuffled > noise",
}
CHORALE_ORDER = {
    "polyphony": "real = frames > notes",  # voices that meet in unison count once
    "polyphony rate": "real = frames",
    "tonal distance, outer voices": "real < noise",
    "parallel fifths": "real < notes < frames",
    "parallel octaves": "real < notes < frames",
    "voice crossing": "real = frames < notes < noise",
    "triads and sevenths": "real > frames > notes > noise",
    "leaps over a fifth": "real < notes < noise",
    "out of range": "real = frames = notes = noise",
    "scale consistency": "real = notes > noise",
    "groove consistency": "real > noise",
}


@pytest.fixture(scope="module")
def melodies():
    rng = np.random.default_rng(0)
    tunes = list(load_folk_tunes(region="german", part="test", steps_per_beat=4).where(metre="4/4"))[:120]
    return metric_table(
        {
            "real": tunes,
            "shuffled": [shuffle_notes(tune, rng) for tune in tunes],
            "noise": [noise_like(tune, rng) for tune in tunes],
        }
    )


@pytest.fixture(scope="module")
def chorales():
    rng = np.random.default_rng(0)
    real = list(load_chorales(part="test"))
    frames = [
        grid_to_piece(shuffle_frames(piece_to_grid(p), rng), metre=p.metre, pickup_steps=p.pickup_steps) for p in real
    ]
    notes, noise = ([make(piece, rng) for piece in real] for make in (shuffle_notes, noise_like))
    return metric_table({"real": real, "frames": frames, "notes": notes, "noise": noise})


def in_order(estimates, claim):
    """Check a claim such as 'real < shuffled ~ noise' step by step."""
    words = claim.split()
    for left, sign, right in zip(words[::2], words[1::2], words[2::2]):
        a, b = estimates[left], estimates[right]
        apart = 3 * math.hypot(a.standard_error, b.standard_error)
        holds = {
            "=": abs(a.mean - b.mean) < 1e-9,
            "~": abs(a.mean - b.mean) < 0.1 * abs(a.mean),
            "<": b.mean - a.mean > apart,
            ">": a.mean - b.mean > apart,
        }
        assert holds[sign], f"{left} {a} {sign} {right} {b}"


def test_every_melody_metric_puts_real_shuffled_and_noise_in_order(melodies):
    assert [row.name for row in melodies] == list(ORDER) == [metric.name for metric in MELODY_METRICS]
    for row in melodies:
        in_order(row.estimates, ORDER[row.name])


def test_every_voice_metric_does(chorales):
    rows = {row.name: row for row in chorales}
    assert list(rows) == [metric.name for metric in MELODY_METRICS + VOICE_METRICS]
    assert {metric.name for metric in VOICE_METRICS} <= set(CHORALE_ORDER)
    for name, claim in CHORALE_ORDER.items():
        in_order(rows[name].estimates, claim)


def test_numbers_are_means_and_counts_are_pooled():
    short, long = (Piece.from_notes([(i, 1, p) for i, p in enumerate(pitches)]) for pitches in ((60, 72), (60, 62) * 5))
    rows = {row.name: row.estimates["mine"].mean for row in metric_table({"mine": [short, long]})}
    assert rows["leaps over a fifth"] == 100 * 1 / 10  # one leap in one move, none in nine
    assert rows["pitch range"] == (12 + 2) / 2


def test_pieces_without_a_value_are_left_out_and_none_gives_nan():
    empty, tune = Piece.from_notes([]), Piece.from_notes([(0, 4, 60), (4, 4, 67)])
    rows = {row.name: row.estimates for row in metric_table({"some": [empty, tune], "no": [empty]})}
    assert rows["pitch range"]["some"].mean == 7
    assert math.isnan(rows["pitch range"]["no"].mean)
    assert math.isnan(rows["leaps over a fifth"]["no"].mean)
    assert all(math.isnan(row["none"].mean) for row in (r.estimates for r in metric_table({"none": []})))


def test_the_text_has_a_line_a_metric_and_a_column_a_group(melodies):
    lines = format_table(melodies).splitlines()
    assert len(lines) == 1 + len(MELODY_METRICS)
    assert lines[0].split() == ["metric", "unit", "real", "shuffled", "noise"]
    assert all(line.count("±") == 3 for line in lines[1:])
    assert len({line.find("±") for line in lines[1:]}) <= 3  # columns stand in line
    assert format_table([]) == "metric  unit"
