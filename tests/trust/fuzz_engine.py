"""The loop of `make fuzz`: damage a file, read it in a process with limits, keep what goes wrong; knows no target."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from edits import Edit, damage, draw_edits
from sandbox import FAULT, Limits, Verdict, read_all

BATCH, SLOW_BATCH = 100, 4
MAX_POOL = 400
MENDED = 50_000  # bytes; larger files are left as they are
DETAILS = re.compile(r"""/[^ ]*/|b?'[^']*'|b?"[^"]*"|[0-9]+""")  # places, quotations, numbers


@dataclass(frozen=True)
class Target:
    """A reader, the ending of its files, sound files, bytes that mean something in them, limits, a mender."""

    read: Callable[[Path], object]
    suffix: str
    seeds: tuple[bytes, ...]
    tokens: tuple[bytes, ...] = ()
    limits: Limits = field(default_factory=Limits)
    mend: Callable[[bytes], bytes] | None = None


@dataclass
class Tally:
    """What was tried on one target: how many inputs, how they ended, the worst of them, and the faults by name."""

    outcomes: Counter = field(default_factory=Counter)
    slowest: float = 0.0
    largest: float = 0.0
    faults: dict[str, str] = field(default_factory=dict)
    pool: list[bytes] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def take(self, verdict: Verdict, data: bytes) -> None:
        """Count a verdict; an input that was answered in new words is worth damaging further."""
        self.outcomes[verdict.outcome] += 1
        self.slowest, self.largest = max(self.slowest, verdict.seconds), max(self.largest, verdict.megabytes)
        words = kind_of(verdict)
        if words not in self.known and len(self.pool) < MAX_POOL:
            self.known.add(words)
            self.pool.append(data)


def kind_of(verdict: Verdict) -> str:
    """The words of a verdict without what differs from file to file."""
    return f"{verdict.outcome} {DETAILS.sub('', verdict.said)}"


def fuzz(target: Target, tally: Tally, rng: random.Random, seconds: float, folder: Path) -> None:
    """Attack one target for some seconds."""
    tally.pool = tally.pool or list(target.seeds)
    until, size = time.monotonic() + seconds, BATCH if target.limits.seconds <= 10 else SLOW_BATCH
    while time.monotonic() < until:
        drawn = [(rng.choice(tally.pool), draw_edits(rng, target.tokens)) for _ in range(size)]
        mends = [rng.random() < 0.7 for _ in drawn]
        inputs = [damaged(target, *pair) for pair in zip(drawn, mends)]
        verdicts = read_all(target.read, inputs, target.suffix, target.limits)
        for pair, mend, tried, verdict in zip(drawn, mends, inputs, verdicts):
            tally.take(verdict, tried)
            if verdict.outcome == FAULT and kind_of(verdict) not in tally.faults:
                small = smaller(target, pair, mend, verdict)
                tally.faults[kind_of(verdict)] = keep(folder, small, verdict)


def damaged(target: Target, pair: tuple[bytes, list[Edit]], mend: bool) -> bytes:
    """Apply the edits to the file; mended in its outer form, the inner rooms are reached."""
    data = damage(*pair)
    return target.mend(data) if mend and target.mend and len(data) < MENDED else data


def smaller(target: Target, pair: tuple[bytes, list[Edit]], mend: bool, verdict: Verdict) -> bytes:
    """Leave out edits that the fault does not need; return what is left."""
    data, edits = pair
    for edit in list(edits):
        fewer = [kept for kept in edits if kept is not edit]
        [again] = read_all(target.read, [damaged(target, (data, fewer), mend)], target.suffix, target.limits)
        edits = fewer if kind_of(again) == kind_of(verdict) else edits
    return damaged(target, (data, edits), mend)


def keep(folder: Path, data: bytes, verdict: Verdict) -> str:
    """Write a failing input under the name of its fault; return that name."""
    words = "-".join(re.findall(r"[a-z]+", kind_of(verdict).lower())[1:9])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{words}-{sha256(data).hexdigest()[:8]}.bin"
    path.write_bytes(data)
    print(f"  fault: {verdict.said}\n  kept as {path.parent.name}/{path.name}")
    return path.name


def table(tallies: dict[str, Tally]) -> list[str]:
    """The rows of the table: target, inputs, outcomes, worst time and memory, faults."""
    rows = [
        "| files | tried | read | refused | faults | slowest, s | most memory, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, tally in tallies.items():
        counts = " | ".join(f"{tally.outcomes[outcome]:,}" for outcome in ("read", "refused", "fault"))
        tried = f"{tally.outcomes.total():,}"
        rows.append(f"| {name} | {tried} | {counts} | {tally.slowest:.2f} | {tally.largest:.0f} |")
    return rows
