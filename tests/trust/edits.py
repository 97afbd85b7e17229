"""Small damages to files, drawn at random by the fuzzer and by hypothesis, and applied in the same way by both."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import strategies as st

LARGEST = 300_000  # bytes that repeating may blow a file up to
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x0FFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@dataclass(frozen=True)
class Edit:
    """One damage: what kind, where (a share of the file's length), how much, and with which bytes."""

    kind: str
    where: float
    amount: int
    token: bytes = b""

    def apply(self, data: bytes) -> bytes:
        """Return the damaged bytes."""
        at = int(self.where * len(data))
        return KINDS[self.kind](data, at, self.amount, self.token)


def _number(data: bytes, at: int, amount: int, _: bytes) -> bytes:
    size = (1, 2, 4)[amount % 3]
    number = NUMBERS[amount // 3 % len(NUMBERS)] % 256**size
    return data[:at] + number.to_bytes(size, "big") + data[at + size :]


def _digits(data: bytes, at: int, amount: int, _: bytes) -> bytes:
    """Write another number over the next run of digits."""
    start = next((i for i in range(at, len(data)) if data[i : i + 1].isdigit()), None)
    if start is None:
        return data
    stop = next((i for i in range(start, len(data)) if not data[i : i + 1].isdigit()), len(data))
    return data[:start] + str(NUMBERS[amount % len(NUMBERS)] + amount // 100 % 3).encode() + data[stop:]


def _repeat(data: bytes, at: int, amount: int, _: bytes) -> bytes:
    part = data[at : at + 1 + amount % 64]
    times = min(2 ** (amount // 64 % 16), LARGEST // max(1, len(part)))
    return data[:at] + part * times + data[at:]


KINDS = {
    "flip": lambda data, at, amount, _: (
        data[:at] + bytes(b ^ 1 << amount % 8 for b in data[at : at + 1]) + data[at + 1 :]
    ),
    "number": _number,
    "digits": _digits,
    "insert": lambda data, at, _, token: data[:at] + token + data[at:],
    "overwrite": lambda data, at, _, token: data[:at] + token + data[at + len(token) :],
    "delete": lambda data, at, amount, _: data[:at] + data[at + 1 + amount % 40 :],
    "cut": lambda data, at, *_: data[:at],
    "repeat": _repeat,
    "move": lambda data, at, amount, _: data[:at] + data[at + amount % 99 :] + data[at : at + amount % 99],
}


def damage(data: bytes, edits: list[Edit]) -> bytes:
    """Apply edits in turn."""
    for edit in edits:
        data = edit.apply(data)
    return data


def draw_edits(rng: random.Random, tokens: tuple[bytes, ...]) -> list[Edit]:
    """Draw one to eight edits, mostly few."""
    kinds = list(KINDS)
    return [
        Edit(rng.choice(kinds), rng.random(), rng.randrange(2**16), rng.choice(tokens) if tokens else b"")
        for _ in range(min(8, 1 + int(rng.expovariate(0.7))))
    ]


def edit_lists(tokens: tuple[bytes, ...]) -> st.SearchStrategy[list[Edit]]:
    """The same for hypothesis, which makes them smaller when they show a fault."""
    texts = st.sampled_from(tokens) | st.binary(max_size=6)
    edit = st.builds(Edit, st.sampled_from(list(KINDS)), st.floats(0, 1), st.integers(0, 2**9 - 1), texts)
    return st.lists(edit, max_size=6)
