import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.encodings.melody_events import (
    END_ID,
    FIRST_PITCH_ID,
    MAX_DURATION,
    METRE_STEPS,
    METRES,
    N_DURATIONS,
    N_PITCH_IDS,
    REST_ID,
    STYLES,
    corpus_to_melody_events,
    is_playable,
    melody_events_to_piece,
    piece_to_melody_events,
)
from musegen_lib.models.melody.sampling import MelodyRequest, PlayableRules, sample_melodies

QUICK = settings(derandomize=True, deadline=None, database=None, max_examples=80)
SAYS = ("random", "rest", "end", "rest only", "end only", "longest", "shortest")


class Stubborn:
    """A stream that wants one thing only, whatever it has written."""

    def __init__(self, says, n, seed=0):
        self.says, self.n = says, n
        self.generator = torch.Generator().manual_seed(seed)

    def pitch_logits(self):
        logits = 5 * torch.randn(self.n, N_PITCH_IDS, generator=self.generator)
        if self.says in ("rest only", "end only"):
            logits[:] = -torch.inf
        if self.says in ("rest", "rest only"):
            logits[:, REST_ID] = 1e9
        if self.says in ("end", "end only"):
            logits[:, END_ID] = 1e9
        return logits

    def duration_logits(self, pitch_ids):
        logits = 5 * torch.randn(self.n, N_DURATIONS, generator=self.generator)
        steps = torch.arange(N_DURATIONS)
        return {"longest": logits + 1e4 * steps, "shortest": logits - 1e4 * steps}.get(self.says, logits)

    def push(self, pitch_ids, durations):
        assert len(pitch_ids) == len(durations) == self.n


def draw(request, says="random", n=3, seed=0, opening=None):
    return sample_melodies(Stubborn(says, n, seed), n, request, torch.Generator().manual_seed(seed), opening)


def assert_keeps_the_rules(tune, request):
    """The rules in other words than the library's."""
    bar, ids, steps = request.bar_steps, tune.pitch_ids.tolist(), tune.durations.tolist()
    *body, last = ids
    assert last == END_ID
    assert END_ID not in body
    assert body[0] != REST_ID
    assert body[-1] != REST_ID
    assert (REST_ID, REST_ID) not in zip(body, body[1:])
    assert all(1 <= step <= MAX_DURATION for step in steps[:-1])
    assert steps[-1] == 0
    assert sum(steps) == request.bars * bar  # a pickup and the shortened last bar make one
    piece = melody_events_to_piece(tune)
    assert is_playable(piece)
    assert (piece.metre, piece.style, piece.pickup_steps) == (request.metre, request.style, request.pickup)


# Whatever a model wants, what is drawn can be played


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("metre", METRES)
def test_every_metre_gives_playable_melodies(metre, says):
    for pickup, bars in ((0, 1), (3, 2)):
        request = MelodyRequest(metre=metre, pickup=pickup, bars=bars)
        for tune in draw(request, says, n=2):
            assert_keeps_the_rules(tune, request)


@QUICK
@given(st.data())
def test_every_request_gives_playable_melodies(data):
    metre = data.draw(st.sampled_from(METRES))
    request = MelodyRequest(
        style=data.draw(st.sampled_from(STYLES)),
        metre=metre,
        pickup=data.draw(st.integers(0, METRE_STEPS[METRES.index(metre)] - 1)),
        bars=data.draw(st.integers(1, 5)),
        temperature=data.draw(st.sampled_from([0.0, 0.1, 1.0, 10.0])),
        top_k=data.draw(st.sampled_from([0, 1, 5])),
        top_p=data.draw(st.sampled_from([0.01, 0.9, 1.0])),
    )
    for tune in draw(request, data.draw(st.sampled_from(SAYS)), n=2, seed=data.draw(st.integers(0, 99))):
        assert_keeps_the_rules(tune, request)


def test_a_model_that_wants_to_end_writes_all_its_bars_first():
    for tune in draw(MelodyRequest(metre="3/4", bars=2), "end only", n=20):
        assert tune.durations.sum() == 24


def test_a_model_that_only_wants_long_notes_writes_one():
    tunes = draw(MelodyRequest(metre="4/4", pickup=4, bars=2), "longest", n=4)
    assert [tune.durations.tolist() for tune in tunes] == [[32, 0]] * 4
    four_bars_of_4_2 = draw(MelodyRequest(metre="4/2", bars=4), "longest", n=1)[0]
    assert four_bars_of_4_2.durations.tolist() == [MAX_DURATION, MAX_DURATION, 0]


def test_end_is_allowed_where_the_last_bar_completes_the_pickup_and_nowhere_else():
    request = MelodyRequest(metre="3/4", pickup=4, bars=2)
    assert (request.first_step, request.last_step) == (8, 32)  # counted from the bar line before the pickup
    rules = PlayableRules([request])
    allowed = []
    for _ in range(24):
        allowed.append(bool(rules.pitch_mask()[0, END_ID]))
        rules.push(torch.tensor([FIRST_PITCH_ID]), torch.tensor([1]))
    assert not any(allowed)
    assert rules.pitch_mask()[0].nonzero().ravel().tolist() == [END_ID]


def test_a_finished_melody_may_only_repeat_end():
    rules = PlayableRules([MelodyRequest(metre="2/4", bars=1)] * 2)
    rules.push(torch.tensor([5, 5]), torch.tensor([8, 5]))
    rules.push(torch.tensor([END_ID, 5]), torch.tensor([0, 1]))
    assert rules.pitch_mask().sum(dim=1).tolist() == [1, N_PITCH_IDS - 1]  # the other may do all but end
    assert rules.duration_mask(torch.tensor([END_ID, 5]))[0].nonzero().ravel().tolist() == [0]
    assert rules.done.tolist() == [True, False]


def test_no_duration_runs_past_the_last_bar_and_a_rest_leaves_room_for_a_note():
    rules = PlayableRules([MelodyRequest(metre="2/4", bars=1)] * 2)
    rules.push(torch.tensor([5, 5]), torch.tensor([3, 3]))
    mask = rules.duration_mask(torch.tensor([REST_ID, 5]))
    assert [row.nonzero().ravel().tolist() for row in mask] == [[1, 2, 3, 4], [1, 2, 3, 4, 5]]


def test_same_seed_same_melodies_and_other_seed_others():
    request = MelodyRequest(bars=2)
    first, again, other = (
        [melody_events_to_piece(tune) for tune in draw(request, n=4, seed=seed)] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_the_opening_is_kept_and_what_follows_differs():
    request = MelodyRequest(metre="3/4", pickup=4, bars=4)
    tune = Piece.from_notes([(0, 4, 60), (4, 6, 64), (12, 4, 67)], metre="3/4", pickup_steps=4, style="german")
    opening = piece_to_melody_events(tune)
    drawn = draw(request, n=5, opening=opening)
    for melody in drawn:
        assert_keeps_the_rules(melody, request)
        assert melody.pitch_ids[:4].tolist() == [14, 18, REST_ID, 21]
        assert melody.durations[:4].tolist() == [4, 6, 2, 4]
    assert len({tuple(melody.pitch_ids.tolist()) for melody in drawn}) > 1


@pytest.mark.parametrize("last", [5, 8, 20])
def test_an_opening_that_leaves_no_step_is_refused(last):
    opening = piece_to_melody_events(Piece.from_notes([(0, 11, 60), (11, last, 62)], style="german"))
    with pytest.raises(
        MusegenError, match=f"the opening reaches step {11 + last} of 16; shorten it or ask for more bars"
    ):
        draw(MelodyRequest(bars=1), opening=opening)


def test_no_melody_at_all_is_refused():
    with pytest.raises(MusegenError, match="cannot draw 0 melodies"):
        draw(MelodyRequest(), n=0)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"style": "klezmer"}, "style 'klezmer' is unknown; choose one of chinese, german"),
        ({"metre": "7/8"}, "metre '7/8' is unknown; choose one of 2/4, 4/4"),
        ({"bars": 0}, "0 bars: ask for 1 to 64"),
        ({"bars": 65}, "65 bars: ask for 1 to 64"),
        ({"metre": "6/8", "pickup": 12}, "a pickup of 12 steps does not fit a bar of 12"),
        ({"pickup": -1}, "a pickup of -1 steps"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(wish, message):
    with pytest.raises(MusegenError, match=message):
        MelodyRequest(**wish)


# is_playable sees what is wrong


def waltz(*notes, **labels):
    return Piece.from_notes(notes, **{"metre": "3/4", "style": "german", "pickup_steps": 4} | labels)


@pytest.mark.parametrize("length", [4, 12, 16, 24, 28])
def test_whole_bars_are_playable_with_and_without_the_pickup(length):
    assert is_playable(waltz((0, length, 60)))


@pytest.mark.parametrize(
    ("metre", "pickup", "length"), [("5/4", 0, 20), ("5/4", 8, 28), ("3/1", 16, 48), ("7/8", 2, 16)]
)
def test_whole_bars_of_a_metre_that_no_model_knows_are_playable(metre, pickup, length):
    assert is_playable(waltz((0, length, 60), metre=metre, pickup_steps=pickup))


@pytest.mark.parametrize(
    ("fault", "piece"),
    [
        ("a step too long", waltz((0, 12, 60), (12, 13, 62))),
        ("a step too short", waltz((0, 12, 60), (12, 11, 62))),
        ("too low", waltz((0, 12, 47))),
        ("too high", waltz((0, 12, 90))),
        ("two notes at once", waltz((0, 12, 60), (0, 12, 64))),
        ("the next note strikes too early", waltz((0, 7, 60), (6, 6, 64))),
        ("no notes", waltz()),
        ("a note that is too long", waltz((0, 72, 60))),
        ("a rest that is too long", waltz((0, 4, 60), (76, 12, 60))),
        ("no whole bar of another metre", waltz((0, 12, 60), metre="7/8")),
        ("no metre", waltz((0, 12, 60), metre=None)),
        ("no style", waltz((0, 12, 60), style="")),
        ("triplets", waltz((0, 36, 60), steps_per_beat=12, pickup_steps=12)),
    ],
)
def test_is_playable_refuses(fault, piece):
    assert not is_playable(piece)


def test_what_the_models_cannot_read_is_named():
    with pytest.raises(ValueError, match=r"a style of .*it has 4 steps a beat, metre 3/4 and style 'polka'"):
        piece_to_melody_events(waltz((0, 12, 60), style="polka"))
    with pytest.raises(ValueError, match="holds a note longer than 64 steps"):
        piece_to_melody_events(waltz((0, 65, 60)))


# Events and pieces


def test_events_of_a_tune_by_hand():
    tune = piece_to_melody_events(waltz((0, 4, 48), (4, 6, 89), (12, 4, 60), style="irish"))
    assert tune.pitch_ids.tolist() == [2, 43, REST_ID, 14, END_ID]
    assert tune.durations.tolist() == [4, 6, 2, 4, 0]
    assert (STYLES[tune.style], METRES[tune.metre], tune.pickup, tune.n_notes) == ("irish", "3/4", 4, 3)
    assert tune.onsets.tolist() == [8, 12, 18, 20, 24]  # the pickup starts at step 8 of its bar


def test_a_pickup_of_a_whole_bar_is_none():
    assert piece_to_melody_events(waltz((0, 12, 60), pickup_steps=12)).pickup == 0


def test_bar_lengths_follow_the_metres():
    assert METRES == ("2/4", "4/4", "2/2", "3/4", "6/8", "3/8", "9/8", "4/2", "3/2", "6/4")
    assert METRE_STEPS == (8, 16, 16, 12, 12, 6, 18, 32, 24, 24)


def test_folk_tunes_come_back_exactly():
    corpus = load_folk_tunes()
    corpus = corpus.select(corpus.column("grid") == 4)
    chosen = [corpus[int(i)] for i in np.random.default_rng(1).choice(len(corpus), 400, replace=False)]
    held = [piece for piece in chosen if piece.metre in METRES]
    assert len(held) > 350
    for piece in held:
        labels = piece.labels
        for name in ("metre", "style", "pickup_steps"):
            del labels[name]
        assert melody_events_to_piece(piece_to_melody_events(piece), **labels) == piece


def test_the_models_read_the_tunes_they_can_hold_and_leave_out_the_others():
    corpus = load_folk_tunes(part="test")
    tunes = corpus_to_melody_events(corpus)
    assert (len(corpus), len(tunes)) == (1284, 1107)
    known = corpus.select((corpus.column("grid") == 4) & np.isin(corpus.column("metre"), METRES))
    assert len(known) - len(tunes) == 0  # but for metre and grid, none of these is out of range
