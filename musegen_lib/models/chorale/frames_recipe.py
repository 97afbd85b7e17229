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
from musegen_lib.models.chorale.frames import FrameBatch, FrameNet, FramesConfig, averaged_nll
from musegen_lib.training import loop as training
from musegen_lib.training.checkpoints import write_checkpoint
from musegen_lib.training.pretrained import ShippedNet, train_command

KEYS = tuple(range(-5, 7))  # transpositions over which the probability of a frame is averaged


class FramesRecipe(ShippedNet):
    """A FrameNet on a file of the user's; no weights come with the course."""

    name = "chorales-frames"
    about = "A recurrent network that says how likely each set of pitches is that may sound next, learnt from any file."
    reads_data = True
    net = FrameNet
    config = FramesConfig()
    training = training.TrainConfig(steps=1_000_000, minutes=8.0, learning_rate=1.5e-3, weight_decay=0.1, patience=20)

    def train(
        self,
        out: Path,
        seed: int = 0,
        steps: int | None = None,
        minutes: float | None = None,
        data: Path | None = None,
    ) -> dict[str, Any]:
        """Train on the part "train" of a file of frames for some minutes; the best of its validations is kept."""
        if data is None:
            raise MusegenError(f"{self.name} learns from a file: give --data FILE.json")
        pieces, sha256 = read_frames(data), hashlib.sha256(data.read_bytes()).hexdigest()
        kept = out.with_stem(f"{out.stem}-{sha256[:12]}")  # a run that was stopped goes on with the same file alone
        batches = FrameBatches(pieces["train"], seed)
        model, run = self.fitted(batches, frames_batches(pieces["valid"]), kept, seed, steps, minutes)
        card = {
            "about": self.about,
            "recipe": train_command(self.name, seed, self.training, steps, minutes, data.name),
            "data": f"{data.name}, {len(pieces['train'])} pieces to train on",
            "data_sha256": sha256,
            "seed": seed,
            "steps": run.step,
            "valid_nats_per_frame_one_key": round(run.best_loss, 4),
        }
        write_checkpoint(out, model, card)
        return card

    def evaluate(self, split: str, path: Path | None = None, data: Path | None = None) -> dict[str, Any]:
        """Exact negative log-likelihood of a split in nats a frame, every frame counted, the first included.

        `nats_per_frame` averages the probability of each frame over 12 transpositions of the piece (each of them is a
        distribution over sets of pitches, so their mean is one, too); `nats_per_frame_one_key` reads the piece as it
        is.
        """
        if path is None or data is None:
            raise MusegenError(f"{self.name} is measured on a file: give a checkpoint and --data FILE.json")
        model, pieces = self.load(path), read_frames(data)
        if split not in pieces:
            raise MusegenError(f"split {split!r} is unknown; use one of {', '.join(pieces)}")
        return {
            "model": self.name,
            "checkpoint": path.name,
            "data": data.name,
            "split": split,
            **score_frames(model, pieces[split]),
        }


FRAMES = FramesRecipe()


def score_frames(model: FrameNet, pieces: list[Frames]) -> dict[str, Any]:
    """Nats a frame over twelve keys and over one, with the standard error over pieces."""
    averaged, plain = (score_pieces(model, pieces, keys) for keys in (KEYS, (0,)))
    frames = _lengths(pieces)
    estimate = ratio_estimate(averaged, frames)
    return {
        "pieces": len(pieces),
        "frames": int(frames.sum()),
        "nats_per_frame": estimate.mean,
        "standard_error": estimate.standard_error,
        "nats_per_frame_one_key": ratio_estimate(plain, frames).mean,
        "mean_of_pieces": float(np.mean(averaged / frames)),
    }


def frames_batches(pieces: list[Frames]) -> list[FrameBatch]:
    """Batches of pieces of like length, in a fixed order."""
    return [collate_frames([pieces[i] for i in group]) for group in frames_in_batches(_lengths(pieces))]


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
