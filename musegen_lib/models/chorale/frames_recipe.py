"""Recipe of the public benchmark: `chorales-frames`, a FrameNet on any file of frames."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.metrics.likelihood import ratio_estimate
from musegen_lib.models.chorale.frame_batches import (
    FrameBatches,
    Frames,
    collate_frames,
    frames_in_batches,
    read_frames,
)
from musegen_lib.models.chorale.frames import FrameNet, FramesConfig, averaged_nll
from musegen_lib.training import loop as training
from musegen_lib.training.checkpoints import load_model, write_checkpoint
from musegen_lib.training.pretrained import train_command

NAME = "chorales-frames"
KEYS = tuple(range(-5, 7))  # transpositions over which the probability of a frame is averaged
USUAL = training.TrainConfig(steps=1_000_000, minutes=8.0, learning_rate=1.5e-3, weight_decay=0.1, patience=20)


def train_frames(
    data: Path, out: Path, minutes: float | None = None, seed: int = 0, steps: int | None = None
) -> dict[str, Any]:
    """Train on the part "train" of a file of frames for some minutes; the best of its validations is kept."""
    pieces = read_frames(data)
    torch.manual_seed(seed)
    model = FrameNet(FramesConfig())
    config = training.limited(USUAL, seed, steps, minutes)
    valid = [
        collate_frames([pieces["valid"][i] for i in group]) for group in frames_in_batches(_lengths(pieces["valid"]))
    ]
    run = training.fit(model, FrameBatches(pieces["train"], seed), valid, config)
    card = {
        "recipe": train_command(NAME, seed, USUAL, steps, minutes, data.name),
        "data": f"{data.name}, {len(pieces['train'])} pieces to train on",
        "data_sha256": hashlib.sha256(data.read_bytes()).hexdigest(),
        "seed": seed,
        "steps": run.step,
        "valid_nats_per_frame_one_key": round(run.best_loss, 4),
    }
    write_checkpoint(out, model, card)
    return card


def evaluate_frames(checkpoint: Path, data: Path, split: str) -> dict[str, Any]:
    """Exact negative log-likelihood of a split in nats a frame, every frame counted, the first included.

    `nats_per_frame` averages the probability of each frame over 12 transpositions of the piece (each of them is a
    distribution over sets of pitches, so their mean is one, too); `nats_per_frame_one_key` reads the piece as it is.
    """
    model = load_model(checkpoint, FrameNet, FramesConfig)
    pieces = read_frames(data)
    if split not in pieces:
        raise MusegenError(f"split {split!r} is unknown; use one of {', '.join(pieces)}")
    chosen = pieces[split]
    averaged, plain = (score_pieces(model, chosen, keys) for keys in (KEYS, (0,)))
    frames = _lengths(chosen)
    estimate = ratio_estimate(averaged, frames)
    return {
        "model": NAME,
        "checkpoint": checkpoint.name,
        "data": data.name,
        "split": split,
        "pieces": len(chosen),
        "frames": int(frames.sum()),
        "nats_per_frame": estimate.mean,
        "standard_error": estimate.standard_error,
        "nats_per_frame_one_key": ratio_estimate(plain, frames).mean,
        "mean_of_pieces": float(np.mean(averaged / frames)),
    }


@torch.no_grad()
def score_pieces(model: FrameNet, pieces: list[Frames], keys: tuple[int, ...]) -> np.ndarray:
    """(N,) nats of each piece."""
    model.eval()
    nll = np.zeros(len(pieces))
    for group in frames_in_batches(_lengths(pieces)):
        batch = collate_frames([pieces[i] for i in group])
        nll[group] = averaged_nll(model, batch, keys).sum(dim=1).numpy()
    return nll


def _lengths(pieces: list[Frames]) -> np.ndarray:
    return np.array([len(piece) for piece in pieces], dtype=np.float64)
