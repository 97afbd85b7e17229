"""SIMULATED listeners of real tunes: nobody heard any of this. For lesson 06b, tests of speed, and studies of feedback.

No listening data can be shipped with this course, so people are made up. What is assumed, all of it:

1. A tune has traits: half of their variance comes from what a catalogue says (region, dance or song, metre, major or
   minor, range, notes a beat), half is drawn at random and stands for all that notes do not tell (a singer, a memory).
2. A listener has one taste: the traits of some random tune, and noise. A session drifts from it by noise of its own.
3. Popularity is given to tunes at random, by a power law: weight 1 / rank ** 0.7. It says nothing about the notes.
4. The next tune is drawn with probability proportional to popularity times exp(5 × likeness of taste and traits +
   2 × likeness to the tune before). So order tells something, by our decree.
5. One play in five repeats a tune that the listener knows.
6. Everyone meets everything: there is no shop window, unless a study puts one there.

What follows from such data is true of these assumptions. It shows how methods and measures work; how well they do for
people it does not show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from musegen_lib.corpus import load_folk_tunes
from musegen_lib.corpus.table import Corpus
from musegen_lib.interactions import Interactions
from musegen_lib.paths import replacing

N_TRAITS = 16  # half from the catalogue, half unseen
POWER, TASTE, LINK, REPEAT = 0.7, 5.0, 2.0, 0.2
TASTE_NOISE, DRIFT = 0.3, 0.4  # noise lengths beside traits of length 1
SESSION = 10  # plays
MAX_PLAYS = 200


@dataclass(frozen=True)
class World:
    """I real tunes, U simulated listeners and what they played."""

    tunes: np.ndarray  # (I,) rows of load_folk_tunes()
    traits: Float[np.ndarray, "I K"]  # of length 1
    appeal: Float[np.ndarray, "I"]  # log of the popularity weight
    tastes: Float[np.ndarray, "U K"]  # of length 1
    played: Interactions


def simulate(n_listeners: int = 600, n_tunes: int = 800, plays: int | float = 40, seed: int = 0) -> World:
    """Draw a world; the same seed gives the same one.

    Args:
        plays: mean number of plays a listener; they are spread log-normally, at least 10 and at most 200.
    """
    rng = np.random.default_rng(seed)
    corpus = load_folk_tunes()
    tunes = np.sort(rng.choice(len(corpus), n_tunes, replace=False))
    traits = make_traits(catalogue()[tunes], rng)
    appeal = -POWER * np.log(1.0 + rng.permutation(n_tunes))
    centres = traits[rng.integers(n_tunes, size=n_listeners)]
    tastes = _unit(centres + TASTE_NOISE * _unit(rng.normal(size=centres.shape)))
    n_plays = np.clip(rng.lognormal(np.log(plays) - 0.18, 0.6, n_listeners), 10, MAX_PLAYS).astype(int)
    user, item, time = _play(tastes, traits, appeal, n_plays, rng)
    names = tuple(f"simulated_{number:04d}" for number in range(n_listeners))
    ids = corpus.column("id")[tunes]
    played = Interactions(names, tuple(map(str, ids)), user, item, np.ones(len(user)), time)
    return World(tunes, traits, appeal, tastes, played)


def make_traits(known: Float[np.ndarray, "I C"], rng: np.random.Generator) -> Float[np.ndarray, "I K"]:
    """Traits of length 1: half a random mixture of catalogue columns, half noise."""
    half = N_TRAITS // 2
    seen = known @ rng.normal(size=(known.shape[1], half))
    return _unit(np.hstack([_unit(seen - seen.mean(axis=0)), _unit(rng.normal(size=(len(known), half)))]))


@cache
def catalogue() -> Float[np.ndarray, "N C"]:
    """What the simulator reads of every folk tune: region, kind, metre, mode, range, notes a beat; mean 0, deviation 1.

    No melody: the cold start of the lesson reads intervals, so tastes and content are measured by different rulers.
    """
    corpus = load_folk_tunes()
    words = [np.char.add(f"{name} ", corpus.column(name)) for name in ("style", "kind", "metre")]
    words.append(np.char.endswith(corpus.column("key"), "minor").astype(str))
    hot = [(column[:, None] == np.unique(column)).astype(float) for column in words]
    table = np.hstack([*hot, _range_and_density(corpus)])
    common = table.std(axis=0) > 0.1  # a metre of a handful of tunes makes no taste
    return (table - table.mean(axis=0))[:, common] / table.std(axis=0)[common]


def _range_and_density(corpus: Corpus) -> Float[np.ndarray, "N 2"]:
    """Semitones from lowest to highest note, and notes a beat (ticks: 48 a beat)."""
    starts = corpus.arrays["offsets"][:-1]
    pitch = corpus.arrays["pitch"].astype(int)
    span = np.maximum.reduceat(pitch, starts) - np.minimum.reduceat(pitch, starts)
    ticks = np.add.reduceat(corpus.arrays["duration"].astype(float), starts)
    counts = np.diff(corpus.arrays["offsets"])
    return np.stack([span, 48 * counts / np.maximum(ticks, 1)], axis=1)[corpus.rows].astype(float)


def liking(world: World, tastes: Float[np.ndarray, "U K"]) -> Float[np.ndarray, "U I"]:
    """Log weight of each tune for each taste, before the link to the tune played last."""
    return TASTE * tastes @ world.traits.T + world.appeal


def draw(log_weights: Float[np.ndarray, "U I"], rng: np.random.Generator) -> np.ndarray:
    """(U,) one item a row, with probability proportional to the exponential of its entry."""
    return (log_weights + rng.gumbel(size=log_weights.shape)).argmax(axis=1)


def _play(
    tastes: np.ndarray, traits: np.ndarray, appeal: np.ndarray, n_plays: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who plays what, when: (N,) users, items, times; step by step, all listeners at once."""
    heard = np.full((len(tastes), n_plays.max()), -1)
    for step in range(n_plays.max()):
        who = np.flatnonzero(n_plays > step)
        if step % SESSION == 0:
            now = _unit(tastes + DRIFT * _unit(rng.normal(size=tastes.shape)))
        before = traits[heard[who, step - 1]] if step % SESSION else np.zeros((len(who), traits.shape[1]))
        items = draw((TASTE * now[who] + LINK * before) @ traits.T + appeal, rng)
        if step:
            again = rng.random(len(who)) < REPEAT
            items[again] = heard[who, rng.integers(step, size=len(who))][again]
        heard[who, step] = items
    user, step = np.nonzero(heard >= 0)
    return user, heard[user, step], (step + 1000 * (step // SESSION)).astype(float)  # minutes, sessions far apart


def write_simulated(world: World, path: Path, say: Callable[[str], None] = lambda text: None) -> None:
    """Write the plays as a table: listener, tune, count, time; each listener's name says that it is simulated."""
    played = world.played
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("user\titem\tcount\ttime\n")
        for user, item, time in zip(played.user, played.item, played.time, strict=True):
            file.write(f"{played.users[user]}\t{played.items[item]}\t1\t{time:.0f}\n")
    say(f"{path.name}: {len(played):,} plays by {len(played.users):,} simulated listeners")


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
