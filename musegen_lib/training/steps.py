"""The parts of one step, the same in every loop: its random state, its learning rate, and the way down its loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from musegen_lib.core.errors import MusegenError

Backward = Callable[[Tensor], Any]


def seed_step(seed: int, step: int) -> None:
    """Set the random state of a step from the seed and the step alone."""
    torch.manual_seed((seed * 1_000_003 + step) % 2**63)


def set_learning_rate(optimizer: Any, rate: float) -> None:
    """Give all weights of an optimizer one learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def half_then_fall(step: int, steps: int) -> float:
    """Share of the peak rate: the whole for half of the steps, then down in a line to a thousandth.

    >>> [round(half_then_fall(step, 8), 3) for step in (0, 4, 6, 8)]
    [1.001, 1.001, 0.501, 0.001]
    """
    return min(1.0, 2 * (1 - step / steps)) + 1e-3


def require_finite(value: float, what: str) -> None:
    """MusegenError where a number that training goes by is none; `what` names it and its step."""
    if not math.isfinite(value):
        raise MusegenError(f"{what} is {value}; look at the data, or choose a lower learning rate")


def descend(
    loss: Tensor, net: nn.Module, optimizer: Any, clip_norm: float, what: str, backward: Backward = Tensor.backward
) -> None:
    """Move the weights one step down a loss.

    Args:
        clip_norm: gradients that are longer are cut to this length; infinity leaves them.
        what: name of the loss and its step, for the fault.
        backward: how gradients are made; on several machines Fabric's own.
    Raises:
        MusegenError: the loss or its gradient is not finite; the weights are as before.
    """
    require_finite(loss.item(), what)
    optimizer.zero_grad()
    backward(loss)
    norm = nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
    require_finite(norm.item(), f"the gradient of {what}")
    optimizer.step()


def follow(losses: Iterable[Tensor], net: nn.Module, optimizer: Any, clip_norm: float = math.inf) -> None:
    """Step down each loss as it comes: a loop without validation and files, for nets that learn in a minute."""
    for step, loss in enumerate(losses):
        descend(loss, net, optimizer, clip_norm, f"the loss of step {step}")


def progress(total: int, done: int = 0, shown: bool = True) -> tqdm:
    """The bar of a training that has taken `done` of its steps."""
    return tqdm(total=total, initial=done, desc="training", disable=not shown, leave=False)
