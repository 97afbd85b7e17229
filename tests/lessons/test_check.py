"""Each check passes its reference and catches the named wrong answers, in words a musician would use."""

import math
from collections import Counter
from itertools import takewhile

import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.first_music import EXERCISES, check

TUNE = [(0, 16, 60), (16, 16, 64), (32, 16, 67), (48, 8, 62), (56, 8, 60)]


def tune(rows=TUNE, **labels):
    return lambda: Piece.from_notes(rows, **({"key": "C major"} | labels))


def pairs(tunes):
    return sum((Counter(zip(tune[:-1], tune[1:])) for tune in tunes), Counter())


def surprise(chances):
    return sum(-math.log(chance) for chance in chances) / len(chances)


def likeliest(chances, k):
    kept = sorted(chances, key=chances.get, reverse=True)[:k]
    total = sum(chances[pitch] for pitch in kept)
    return {pitch: chances[pitch] / total for pitch in kept}


def run(a, b):
    starts = [(i, j) for i in range(len(a)) for j in range(len(b))]
    return max(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a[i:], b[j:]))) for i, j in starts)


RIGHT = {
    "steps_in_bar": lambda metre: int(metre.split("/")[0]) * 16 // int(metre.split("/")[1]),
    "count_pairs": pairs,
    "average_surprise": surprise,
    "keep_likeliest": likeliest,
    "longest_shared_run": run,
    "four_bars": tune(),
}
WRONG = [
    ("steps_in_bar", lambda metre: 16, "a bar of 3/4 came out as 16 sixteenths, too long"),
    ("steps_in_bar", lambda metre: int(metre[0]) * 4, "a bar of 2/2 came out as 8 sixteenths, too short"),
    ("steps_in_bar", lambda metre: None, "a bar of 4/4 came out as None"),
    ("count_pairs", lambda tunes: pairs([[p for t in tunes for p in t]]), "no one sings that step"),
    ("count_pairs", lambda tunes: pairs(tunes[:1]), "from G to C occurs 1 times, you counted 0"),
    ("count_pairs", lambda tunes: Counter(dict.fromkeys(pairs(tunes), 1)), "from C to D occurs 2 times, you counted 1"),
    ("average_surprise", lambda chances: -surprise(chances), "look at the sign"),
    ("average_surprise", lambda chances: -math.log(sum(chances) / len(chances)), "averaged the probabilities first"),
    ("average_surprise", lambda chances: surprise(chances) / math.log(2), "in bits"),
    ("average_surprise", lambda chances: surprise(chances) * len(chances), "added up"),
    ("average_surprise", lambda chances: 1 - sum(chances) / 2, "gave 0.70 nats"),
    ("average_surprise", lambda chances: sum(chances), "should not surprise at all"),
    ("keep_likeliest", lambda chances, k: chances, "E or F may still be drawn"),
    ("keep_likeliest", lambda chances, k: {60: 0.5, 62: 0.3}, "add up to 0.80"),
    ("keep_likeliest", lambda chances, k: {60: 0.5, 62: 0.5}, "that ratio has changed"),
    ("keep_likeliest", lambda chances, k: {60: 1.0}, "you kept 1 pitches"),
    ("keep_likeliest", lambda chances, k: [chances.pop(65)] and likeliest(chances, k), "return a new one"),
    ("longest_shared_run", lambda a, b: len(set(a) & set(b)), "share D E"),
    ("longest_shared_run", lambda a, b: sum(x == y for x, y in zip(a, b)), "before it goes on"),
    ("longest_shared_run", lambda a, b: run(a, b) + 1, "you found 3"),
    ("four_bars", tune(TUNE[:-1]), "the tune is 56 steps of 4/4 long"),
    ("four_bars", tune([*TUNE[:-1], (56, 8, 62)]), "ends on D, away from home"),
    ("four_bars", tune(key=None), "names no key"),
    ("four_bars", tune([(0, 64, 60), (8, 56, 64)]), "two notes sound at once"),
    ("four_bars", tune([(0, 56, 67), (56, 8, 60)]), "fewer than four different pitches"),
]


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_the_reference_answer_is_right(name, capsys):
    check_once(name, RIGHT[name])
    assert capsys.readouterr().out == f"{name}: right.\n"


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_a_named_wrong_answer_is_told_what_is_wrong(name, answer, words, capsys):
    check_once(name, answer)
    out = capsys.readouterr().out
    assert words in out
    assert "Hint 1: " in out


def test_every_check_has_three_wrong_answers_at_least():
    assert min(Counter(name for name, *_ in WRONG)[name] for name in EXERCISES) >= 3


def test_hints_come_one_after_the_other_and_stay_at_the_third(capsys):
    fresh = Checks(EXERCISES)
    for _ in range(4):
        fresh.steps_in_bar(lambda metre: 0)
    out = capsys.readouterr().out
    assert [line[:6] for line in out.splitlines() if line.startswith("Hint")] == [
        "Hint 1",
        "Hint 2",
        "Hint 3",
        "Hint 3",
    ]


def test_an_answer_not_written_yet_is_no_error(capsys):
    def stub(metre):
        raise NotImplementedError

    check_once("steps_in_bar", stub)
    assert "not written yet" in capsys.readouterr().out


def test_an_answer_that_crashes_is_named_and_not_raised(capsys):
    check_once("steps_in_bar", lambda metre: metre / 2)
    assert "stopped with TypeError" in capsys.readouterr().out


def test_an_unknown_check_lists_the_known_ones():
    with pytest.raises(AttributeError, match="steps_in_bar"):
        _ = check.no_such_check


def check_once(name, answer):
    getattr(Checks(EXERCISES), name)(answer)
