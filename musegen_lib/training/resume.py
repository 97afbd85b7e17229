"""What a run that can be stopped needs, whichever loop it is: one random state a step, and a state in named parts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

LAST = "last.safetensors"  # file of a run's folder that holds its state


def seed_step(seed: int, step: int) -> None:
    """Set the random state of a step from the seed and the step alone."""
    torch.manual_seed((seed * 1_000_003 + step) % 2**63)


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


def set_aside(folder: Path, fault: Exception) -> None:
    """Keep a state that does not fit under another name, and say so."""
    aside = folder / "last.before.safetensors"
    os.replace(folder / LAST, aside)
    print(f"{folder}: {fault}; starting anew, the old state is kept as {aside.name}")


def _tensors(owner: Any) -> dict[str, Tensor]:
    if isinstance(owner, nn.Module):
        return owner.state_dict()
    states = owner.state_dict()["state"]
    return {f"{index}.{field}": value for index, state in states.items() for field, value in state.items()}
