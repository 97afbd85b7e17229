"""Cadences and suspensions: small chords by hand, then Bach's chorales against the known figures."""

import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales
from musegen_lib.metrics.cadences import (
    cadence_report,
    count_authentic,
    count_final_tonics,
    count_phrase_triads,
    count_suspensions,
    is_root_position,
)

C, G, G7, C6, AM = (72, 64, 55, 48), (74, 67, 59, 55), (74, 65, 59, 55), (72, 67, 60, 52), (72, 64, 57, 45)
G_MINOR = (74, 67, 58, 55)


def chords(*columns, **labels):
    """A piece whose voices strike every chord, a beat each; a column is (soprano, ..., bass)."""
    rows = [(4 * i, 4, p, 80, v) for i, column in enumerate(columns) for v, p in enumerate(column) if p]
    return Piece.from_notes(rows, **labels)


def test_a_triad_stands_on_its_root_with_or_without_its_fifth():
    assert all(is_root_position(chord) for chord in (C, G, AM, (72, 64, 60, 48)))
    assert not any(is_root_position(chord) for chord in (C6, G7, (72, 67, 55, 48), (71, 65, 62, 47), (72, 64, 60, 0)))


def test_phrase_ends_are_counted_where_they_are_said_to_be():
    piece = chords(G, C, C6)
    assert count_phrase_triads(piece, [4]) == (1, 1)
    assert count_phrase_triads(piece, [4, 8]) == (1, 2)
    assert count_phrase_triads(piece, []) == (0, 0)
    assert count_phrase_triads(piece, [40]) == count_authentic(piece, [40]) == (0, 1)  # silence


@pytest.mark.parametrize("dominant", [G, G7])
def test_an_authentic_cadence_falls_a_fifth_from_a_major_chord(dominant):
    assert count_authentic(chords(dominant, C), [4]) == (1, 1)


def test_minor_dominants_inversions_deceptive_ends_and_beginnings_are_no_authentic_cadence():
    for first, last in ((G_MINOR, C), (G, C6), (G, AM), (AM, C)):
        assert count_authentic(chords(first, last), [4]) == (0, 1)
    assert count_authentic(chords(C, G), [0]) == (0, 1)


def test_the_final_chord_is_held_against_the_key():
    assert count_final_tonics(chords(G, C, key="C minor")) == (1, 1)
    assert count_final_tonics(chords(C, G, key="C major")) == (0, 1)
    assert count_final_tonics(chords(G, C6, key="C major")) == (0, 1)
    with pytest.raises(ValueError, match="names no key"):
        count_final_tonics(chords(G, C))


def suspended(held=72, resolved=71, onset=2):
    """A soprano tied over the beat in step 4 above a bass that steps to G there, then steps on."""
    return Piece.from_notes(
        [(onset, 6 - onset, held, 80, 0), (6, 2, resolved, 80, 0), (0, 4, 53, 80, 1), (4, 4, 55, 80, 1)]
    )


def test_a_tied_fourth_that_falls_by_step_is_a_suspension():
    assert count_suspensions(suspended())[0] == 1


def test_what_does_not_clash_does_not_fall_or_is_struck_anew_is_no_suspension():
    assert count_suspensions(suspended(held=71, resolved=69))[0] == 0  # a third
    assert count_suspensions(suspended(resolved=74))[0] == 0
    assert count_suspensions(suspended(resolved=69))[0] == 0  # a leap
    assert count_suspensions(suspended(onset=4))[0] == 0


def test_a_tied_seventh_above_any_voice_is_a_suspension_and_a_fourth_above_the_alto_is_none():
    bass = [(0, 8, 36, 80, 2)]
    for held, hits in ((65, 1), (60, 0)):
        soprano, alto = [(2, 4, held, 80, 0), (6, 2, held - 1, 80, 0)], [(0, 4, 57, 80, 1), (4, 4, 55, 80, 1)]
        assert count_suspensions(Piece.from_notes(soprano + alto + bass))[0] == hits


def test_bach_ends_his_phrases_on_triads_half_of_them_after_their_dominant():
    corpus = load_chorales(part="valid")
    soprano = [corpus.marks(i) & (piece.notes["voice"] == 0) for i, piece in enumerate(corpus)]
    ends = [piece.notes["onset_steps"][marks].tolist() for piece, marks in zip(corpus, soprano)]
    found = {name: estimate.mean for name, estimate in cadence_report(list(corpus), ends).items()}
    assert found["triads at phrase ends"] == pytest.approx(95.2, abs=0.1)
    assert found["V-I at phrase ends"] == pytest.approx(61.4, abs=0.1)
    assert found["final triad"] == 100
    assert found["final tonic"] == pytest.approx(75.9, abs=0.1)  # by the signature; modal tunes end elsewhere
    assert found["suspensions"] == pytest.approx(4.8, abs=0.1)
