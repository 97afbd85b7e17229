"""What a run that can be stopped needs, whichever loop it is: its state on disk, in named parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from musegen_lib.core.errors import MusegenError
from musegen_lib.training.checkpoints import read_state, write_state

LAST = "last.safetensors"  # file of a run's folder that holds its state
Found = TypeVar("Found")


def keep_state(folder: Path, parts: Mapping[str, Any], identity: str, about: Mapping[str, str]) -> None:
    """Write the state of nets and optimizers, what training they belong to, and strings about it."""
    write_state(folder / LAST, part_tensors(parts), {**about, "identity": identity})


def resume_state(
    folder: Path | None, parts: Mapping[str, Any], identity: str, read: Callable[[dict[str, str]], Found]
) -> Found | None:
    """Fill the parts with the state that a folder keeps.

    Args:
        read: makes of the strings what the loop needs; ValueError or KeyError where they are not the loop's.
    Returns:
        what `read` made; None where nothing is kept, or what is kept does not fit and was set aside.
    """
    if folder is None or not (folder / LAST).exists():
        return None
    try:
        tensors, about = read_state(folder / LAST)
        if about.get("identity") != identity:
            raise MusegenError("holds a run with another configuration")
        found = read(about)
    except (ValueError, KeyError) as fault:
        _set_aside(folder, fault)
        return None
    fill_parts(parts, tensors)
    return found


def tensor_shapes(net: nn.Module) -> dict[str, list[int]]:
    """Shape of every tensor of a net by its name: the part of a run's identity that its nets decide."""
    return {name: list(value.shape) for name, value in net.state_dict().items()}


def part_tensors(parts: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of nets and optimizers, each named after its part: "model.head.weight", "optimizer.0.exp_avg"."""
    return {f"{part}.{name}": value for part, owner in parts.items() for name, value in _tensors(owner).items()}


def fill_parts(parts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Give nets and optimizers back what `part_tensors` took; tensors of other parts are left out."""
    for part, owner in parts.items():
        own = {name.removeprefix(f"{part}."): v for name, v in tensors.items() if name.startswith(f"{part}.")}
        if isinstance(owner, nn.Module):
            owner.load_state_dict(own)
            continue
        state = owner.state_dict()
        for name, value in own.items():
            index, _, field = name.partition(".")
            state["state"].setdefault(int(index), {})[field] = value
        owner.load_state_dict(state)


def _set_aside(folder: Path, fault: Exception) -> None:
    """Keep a state that does not fit under another name, and say so."""
    aside = folder / "last.before.safetensors"
    os.replace(folder / LAST, aside)
    print(f"{folder}: {fault}; starting anew, the old state is kept as {aside.name}")


def _tensors(owner: Any) -> dict[str, Tensor]:
    if isinstance(owner, nn.Module):
        return owner.state_dict()
    states = owner.state_dict()["state"]
    return {f"{index}.{field}": value for index, state in states.items() for field, value in state.items()}
