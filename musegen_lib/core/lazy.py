"""Faces of packages: names that are found when they are asked for, so that no package pulls in what nobody uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package (PEP 562).

    Args:
        homes: modules below the package, and the names that each gives to the face, parted by spaces.

    >>> find, names, _ = lazy_names("musegen_lib.core", {"keys": "spell_key PITCH_CLASSES"})
    >>> names(), find("spell_key")(2, "major")
    (['PITCH_CLASSES', 'spell_key'], 'D major')
    """
    home_of = {name: f"{package}.{module}" for module, names in homes.items() for name in names.split()}

    def find(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(home_of[name]), name)

    return find, lambda: sorted(home_of), sorted(home_of)
