"""Checks for the exercises of a lesson: what is wrong, in musical terms, and a hint; never the answer.

`check.name(answer)` prints one line. A first wrong answer brings hint 1, a second one hint 2, then hint 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FindFault = Callable[[Any], str | None]


class Exercises(dict[str, tuple[FindFault, tuple[str, str, str]]]):
    """The exercises of a lesson by name: what finds the fault in an answer, and three hints."""

    def add(self, first: str, second: str, third: str) -> Callable[[FindFault], FindFault]:
        """Decorate what finds the fault; the exercise has its name."""

        def keep(find_fault: FindFault) -> FindFault:
            self[find_fault.__name__] = find_fault, (first, second, third)
            return find_fault

        return keep


class Check:
    """One exercise.

    Args:
        find_fault: returns what is wrong with an answer, in one sentence, or None.
        hints: three sentences that lead to the answer without giving it.
    """

    def __init__(self, name: str, find_fault: FindFault, hints: tuple[str, str, str]):
        self.name, self.find_fault, self.hints = name, find_fault, hints
        self.wrong_answers = 0

    def __call__(self, answer: Any) -> None:
        """Print the verdict."""
        try:
            fault = self.find_fault(answer)
        except NotImplementedError:
            print(f"{self.name}: not written yet. Replace the line that raises NotImplementedError.")
            return
        except Exception as error:
            fault = f"your answer stopped with {type(error).__name__}: {error}."
        if fault is None:
            print(f"{self.name}: right.")
            return
        hint = min(self.wrong_answers, len(self.hints) - 1)
        self.wrong_answers += 1
        print(f"{self.name}: not yet: {fault}\nHint {hint + 1}: {self.hints[hint]}")


class Checks:
    """The checks of one lesson by name: `check.steps_in_bar(answer)`."""

    def __init__(self, exercises: Exercises):
        self._checks = {name: Check(name, *entry) for name, entry in exercises.items()}

    def __getattr__(self, name: str) -> Check:
        if name not in self._checks:
            raise AttributeError(f"no check {name!r}; there are {', '.join(self._checks)}")
        return self._checks[name]

    def __dir__(self) -> list[str]:
        return list(self._checks)
