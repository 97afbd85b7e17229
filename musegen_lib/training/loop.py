"""The one training loop: seeded, resumable, with validation and early stopping, on one machine or many.

Step k of a run depends on the seed and on k alone: the batch is `batches(k)`, and the random state is set from both
before the step. So a run that was stopped goes on as if it had not been, and needs nothing but weights, optimizer
state and k to do so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from musegen_lib.training.checkpoints import read_state, write_state
from musegen_lib.training.resume import keep_state, resume_state, tensor_shapes
from musegen_lib.training.steps import descend, progress, require_finite, seed_step, set_learning_rate

BEST = "best.safetensors"  # file of a run's folder with the weights of its best validation


@runtime_checkable
class Batches(Protocol):
    """What to train on: a batch for every step, the same one each time it is asked for."""

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> Any:
        """Return this process's share of the batch of a step."""


@dataclass(frozen=True)
class TrainConfig:
    """How long and how fast to train: a number of steps, or, if `minutes` are given, at most so long a time."""

    steps: int = 2000
    minutes: float | None = None
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warmup_steps: int = 100
    clip_norm: float = 1.0
    validate_every: int = 250
    patience: int = 5  # stop after this many validations without a better one
    seed: int = 0


def limited(config: TrainConfig, seed: int, steps: int | None, minutes: float | None) -> TrainConfig:
    """The same training from another seed, with other limits where they are given."""
    limits = {"steps": steps, "minutes": minutes}
    return replace(config, seed=seed, **{name: limit for name, limit in limits.items() if limit})


@dataclass
class Run:
    """Where a training stands: all that the loop needs to go on, and the curves to draw."""

    step: int = 0
    seconds: float = field(default=0.0, compare=False)  # spent so far, validations included
    best_step: int = 0
    best_loss: float = float("inf")
    train_loss: list[float] = field(default_factory=list)  # mean since the last validation
    valid_loss: list[float] = field(default_factory=list)
    valid_steps: list[int] = field(default_factory=list)


def fit(
    model: torch.nn.Module,
    batches: Batches,
    valid_batches: Sequence[Any],
    config: TrainConfig,
    folder: Path | None = None,
    fabric: Any = None,
) -> Run:
    """Train the model in place and leave the weights of its best validation in it.

    Args:
        model: offers `loss(batch) -> scalar, {"weight": items the scalar is the mean of}`.
        valid_batches: scored whole, weighted by their items, every `validate_every` steps.
        folder: where to keep the state after each validation; a run of the same configuration found there is resumed.
            Processes on several machines must share it.
        fabric: the lightning_fabric.Fabric to run on; by default one process on the CPU.
    Raises:
        MusegenError: a loss or its gradient is no longer finite; the message names the step.
    """
    fabric = fabric or _this_processor()
    module, optimizer = fabric.setup(model, make_optimizer(model, config))
    module.mark_forward_method("loss")
    run, best = _resume(folder, model, optimizer, config) or (Run(), _copy_weights(model))
    bar = progress(config.steps, run.step, shown=fabric.is_global_zero)
    started, losses = time.monotonic() - run.seconds, []
    while not _is_over(run, config):
        losses.append(_one_step(fabric, module, optimizer, batches, config, run))
        run.step += 1
        run.seconds = time.monotonic() - started
        if config.minutes is not None:
            run.seconds = fabric.broadcast(run.seconds)  # one clock for all processes
        bar.update()
        if run.step % config.validate_every == 0 or _time_is_up(run, config):
            if _validate(run, sum(losses) / len(losses), model, valid_batches, fabric):
                best = _copy_weights(model)
            losses.clear()
            bar.set_postfix_str(f"train {run.train_loss[-1]:.3f}, valid {run.valid_loss[-1]:.3f}")
            if folder is not None and fabric.is_global_zero:
                _keep(folder, model, optimizer, best, run, config)
    bar.close()
    model.load_state_dict(best)
    if fabric.is_global_zero:
        print(f"{run.step} steps in {run.seconds:.0f} s; best valid {run.best_loss:.3f} at step {run.best_step}")
    return run


def _this_processor() -> Any:
    from lightning_fabric import Fabric  # here, as it takes as long to import as torch

    return Fabric(accelerator="cpu", devices=1)


def _validate(run: Run, train_loss: float, model: Any, valid_batches: Sequence[Any], fabric: Any) -> bool:
    """Enter both losses into the run; True if the validation is the best so far."""
    here = evaluate(model, valid_batches) if fabric.is_global_zero else 0.0
    run.train_loss.append(train_loss)
    run.valid_loss.append(fabric.broadcast(here))  # one number decides for all processes when to stop
    run.valid_steps.append(run.step)
    if not run.valid_loss[-1] < run.best_loss:
        return False
    run.best_loss, run.best_step = run.valid_loss[-1], run.step
    return True


def make_optimizer(model: torch.nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW over the model's weights."""
    return torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def learning_rate(step: int, config: TrainConfig, seconds: float = 0.0) -> float:
    """Rise in a line over the warm-up, then fall in a line to a hundredth of the peak.

    The fall ends with the last step or, if `minutes` are given and come first, when they have passed.
    """
    rise = (step + 1) / max(1, config.warmup_steps)
    done = max(0, step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    if config.minutes is not None:
        done = max(done, min(1.0, seconds / (60 * config.minutes)))
    return config.learning_rate * min(rise, 1 - 0.99 * done)


@torch.no_grad()
def evaluate(model: torch.nn.Module, batches: Sequence[Any]) -> float:
    """Mean loss over all items of the batches, dropout off."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    total = weight = 0.0
    for batch in batches:
        loss, parts = model.loss(to_device(batch, device))
        total, weight = total + float(loss) * parts["weight"], weight + parts["weight"]
    model.train(was_training)
    return total / weight


def _one_step(fabric: Any, module: Any, optimizer: Any, batches: Batches, config: TrainConfig, run: Run) -> float:
    seed_step(config.seed, run.step)
    set_learning_rate(optimizer, learning_rate(run.step, config, run.seconds))
    module.train()
    batch = to_device(batches(run.step, fabric.global_rank, fabric.world_size), fabric.device)
    loss, parts = module.loss(batch)
    mean_weight = fabric.all_reduce(torch.tensor(parts["weight"]), reduce_op="mean")
    share = loss * (parts["weight"] / mean_weight)  # shares of unequal size count by their items
    whole = float(fabric.all_reduce(share.detach().clone(), reduce_op="mean"))
    what = f"the loss of step {run.step}"
    require_finite(whole, what)
    descend(share, module, optimizer, config.clip_norm, what, fabric.backward)
    return whole


def to_device(batch: Any, device: torch.device) -> Any:
    """Move the tensors of a batch (a tensor, or a dataclass of tensors)."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    return replace(batch, **{name: value.to(device) for name, value in vars(batch).items()})


def _time_is_up(run: Run, config: TrainConfig) -> bool:
    return run.step >= config.steps or (config.minutes is not None and run.seconds >= 60 * config.minutes)


def _is_over(run: Run, config: TrainConfig) -> bool:
    out_of_patience = sum(step > run.best_step for step in run.valid_steps) >= config.patience
    return _time_is_up(run, config) or out_of_patience


def _copy_weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _keep(folder: Path, model: Any, optimizer: Any, best: dict, run: Run, config: TrainConfig) -> None:
    if run.best_step == run.step:
        write_state(folder / BEST, best, {"step": str(run.step)})
    parts = {"model": model, "optimizer": optimizer}
    keep_state(folder, parts, _identity(model, config), {"run": json.dumps(asdict(run))})


def _identity(model: Any, config: TrainConfig) -> str:
    about = {"model": repr(getattr(model, "config", None)), "shapes": tensor_shapes(model)}
    return json.dumps(about | {"training": asdict(config)})


def _read_run(text: str) -> Run:
    """The run that `_keep` wrote; ValueError if its fields are others or of another type."""
    found, wanted = json.loads(text), asdict(Run())
    if not isinstance(found, dict) or {n: type(v) for n, v in found.items()} != {n: type(v) for n, v in wanted.items()}:
        raise ValueError("holds no run that this version can continue")
    return Run(**found)


def _resume(folder: Path | None, model: Any, optimizer: Any, config: TrainConfig) -> tuple[Run, dict] | None:
    """Fill model and optimizer from the folder; return the run and its best weights, or None where none fits."""

    def read(about: dict[str, str]) -> tuple[Run, dict]:
        run = _read_run(about["run"])
        return run, read_state(folder / BEST)[0] if run.best_step else _copy_weights(model)

    return resume_state(folder, {"model": model, "optimizer": optimizer}, _identity(model, config), read)
