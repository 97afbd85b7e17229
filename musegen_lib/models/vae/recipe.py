"""Recipe of lesson 3: `vae`, two bars of melody on one scale, through a code of a few dozen numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.core.scales import name_key, scale_of_key
from musegen_lib.corpus import FOLK_TERMS
from musegen_lib.encodings.arrays import FIRST_PITCH, HOLD, MELODY_LOW, REST
from musegen_lib.encodings.melody_events import MODES, key_to_ids
from musegen_lib.encodings.melody_windows import (
    OCTAVE,
    MelodyWindows,
    held_out_windows,
    make_playable,
    middle_shift,
    training_windows,
    widest_leap,
    window_to_piece,
)
from musegen_lib.metrics.features import melody_features
from musegen_lib.metrics.likelihood import ratio_estimate
from musegen_lib.metrics.originality import melody_symbols
from musegen_lib.metrics.reference import shuffle_notes
from musegen_lib.metrics.tonality import key_fit
from musegen_lib.metrics.two_sample import classifier_two_sample
from musegen_lib.models.melody.recipe import copy_detector
from musegen_lib.models.vae.batches import WindowBatches, windows_in_batches
from musegen_lib.models.vae.measures import elbo_nats, encode_windows, iwae_nats, reconstruction, write_windows
from musegen_lib.models.vae.vae import MelodyVAE, MelodyVAEConfig
from musegen_lib.training import loop as training
from musegen_lib.training.pretrained import ShippedNet

BETA = 0.25  # weight of the KL term, chosen on the validation windows
WARMUP_STEPS = 1000
IWAE_DRAWS = 64
MOST_DRAWS = 50  # of n windows, until n are as they should be
FEWEST_AT_ONCE = 64  # windows to choose from where a key is asked for
N_COMPARED = 600  # windows a side when a classifier tries to tell made from real
TEMPO = 100.0


class VAERecipe(ShippedNet):
    """The melody VAE."""

    name = "vae"
    about = "A variational autoencoder wrote this: two bars unfolded from a code of random numbers."
    net = MelodyVAE
    config = MelodyVAEConfig()
    training = training.TrainConfig(
        steps=6_000,
        learning_rate=4e-3,
        weight_decay=0.05,
        warmup_steps=200,
        clip_norm=5.0,
        validate_every=1000,
        patience=20,
    )
    batch_size = 128

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train on the folk tunes; a run that was stopped goes on from its last validation."""
        windows, valid = training_windows(), windows_in_batches(held_out_windows("valid").tokens, BETA)
        batches = WindowBatches(windows, self.batch_size, seed, BETA, WARMUP_STEPS)
        model, run = self.fitted(batches, valid, out, seed, steps, minutes)
        data = f"two-bar windows of folk tunes on one scale, part train, {len(windows):,} windows: {FOLK_TERMS}"
        return self.save_trained(out, model, run, data, seed, steps, minutes, beta=BETA)

    def generate(self, n: int, seed: int, **controls: Any) -> list[Piece]:
        """Write n windows from codes drawn from the prior.

        Args:
            controls: temperature, the deviation of the codes (1 is the prior itself), and key, such as "E minor": then
                the windows move to its scale, and those are kept that end on its tonic.
        """
        unknown = controls.keys() - {"temperature", "key"}
        if unknown:
            names = ", ".join(sorted(unknown))
            raise MusegenError(f"{names}: the vae knows temperature and key only; it always writes 2 bars")
        generator, key = torch.Generator().manual_seed(seed), controls.get("key")
        written = windows_in_key(self.load_once(), n, generator, float(controls.get("temperature", 1.0)), key)
        return [self.to_piece(tokens, f"{self.name} {i}", seed, key) for i, tokens in enumerate(written, start=1)]

    def to_piece(self, tokens: np.ndarray, title: str, seed: int, key: str | None = None) -> Piece:
        """A window that the net wrote, as a titled piece of two whole bars; with a key, moved to it, else at home."""
        source, scale = f"musegen {self.name}, seed {seed}", scale_of_key(key) or 0
        piece = window_to_piece(whole_bars(tokens), title=title, source=source, licence=FOLK_TERMS, tempo_qpm=TEMPO)
        piece = piece.transpose(middle_shift(piece, scale)) if scale else piece
        return piece.replace(key=key or name_key(scale, int(piece.notes["pitch"][-1])))

    def evaluate(self, split: str, path: Path | None = None) -> dict[str, Any]:
        """Measure the round trip, the bounds and the samples on held-out windows; every figure beside its floor."""
        model, windows = self.load(path), held_out_windows(split)
        return {
            "model": self.name,
            "split": split,
            "windows": len(windows),
            "tunes": len(set(windows.tunes.tolist())),
        } | (measure_codes(model, windows) | measure_samples(model, windows))


VAE = VAERecipe()


def prior_windows(model: MelodyVAE, n: int, generator: torch.Generator, temperature: float = 1.0) -> np.ndarray:
    """(n, T) tokens of codes drawn from the prior; a window that is silent or that nobody would sing is drawn again."""
    found: list[np.ndarray] = []
    for _ in range(MOST_DRAWS):
        z = temperature * torch.randn(n, model.config.latent_dim, generator=generator)
        found += [row for row in model.write(z).numpy() if is_singable(row)]
        if len(found) >= n:
            return np.stack(found[:n])
    raise MusegenError("the vae writes hardly anything but silence and wide leaps; train it longer")


def is_singable(tokens: np.ndarray) -> bool:
    """Whether there is a note, and no leap over an octave.

    >>> is_singable(np.array([14, 26, 1])), is_singable(np.array([14, 27, 1])), is_singable(np.array([1, 1, 1]))
    (True, False, False)
    """
    return bool((tokens >= FIRST_PITCH).any()) and widest_leap(tokens) <= OCTAVE


def windows_in_key(
    model: MelodyVAE, n: int, generator: torch.Generator, temperature: float, key: str | None
) -> list[np.ndarray]:
    """n windows at home that end on the tonic of a key where it lies at home, such as A for E minor; None: any."""
    scale, found = scale_of_key(key), []
    if key is not None and (scale is None or key.partition(" ")[2] not in MODES):
        raise MusegenError(f"key {key!r} is unknown; write it like 'G major', modes are {', '.join(MODES)}")
    for _ in range(MOST_DRAWS):
        written = prior_windows(model, n if key is None else max(n, FEWEST_AT_ONCE), generator, temperature)
        found += [row for row in written if key is None or last_class(row) == (key_to_ids(key)[0] - scale) % 12]
        if len(found) >= n:
            return found[:n]
    raise MusegenError(f"the vae hardly ever ends on the tonic of {key}; choose another key")


def last_class(tokens: np.ndarray) -> int:
    """Pitch class of the last note."""
    return int(tokens[tokens >= FIRST_PITCH][-1] - FIRST_PITCH + MELODY_LOW) % 12


def whole_bars(tokens: np.ndarray) -> np.ndarray:
    """Playable tokens whose last note lasts to the end, so that a piece of them has whole bars.

    >>> whole_bars(np.array([0, 14, 1, 1])).tolist()
    [1, 14, 0, 0]
    """
    fixed = make_playable(tokens)
    sounding = np.flatnonzero(fixed != REST)
    fixed[sounding[-1] + 1 if len(sounding) else len(fixed) :] = HOLD
    return fixed


def measure_codes(model: MelodyVAE, windows: MelodyWindows, n_draws: int = IWAE_DRAWS) -> dict[str, Any]:
    """Rate, bounds in nats a note (standard error over tunes), accuracy with its floor, active units."""
    generator = torch.Generator().manual_seed(0)
    codes = encode_windows(model, windows.tokens, generator)
    notes = (windows.tokens >= FIRST_PITCH).sum(axis=1)
    bounds = {
        "elbo": elbo_nats(model, windows.tokens, codes),
        f"iwae_{n_draws}": iwae_nats(model, windows.tokens, n_draws, generator),
    }
    tune = np.unique(windows.tunes, return_inverse=True)[1]
    estimates = {
        name: ratio_estimate(np.bincount(tune, nats), np.bincount(tune, notes)) for name, nats in bounds.items()
    }
    return {
        "notes": int(notes.sum()),
        "kl_nats_a_window": float(codes.kl.sum(dim=1).mean()),
        "active_units": codes.active_units(),
        "latent_units": model.config.latent_dim,
        **reconstruction(model, windows.tokens, codes),
        **{f"{name}_nats_per_note": estimate._asdict() for name, estimate in estimates.items()},
        "nats_per_note": estimates[f"iwae_{n_draws}"].mean,
    }


def measure_samples(model: MelodyVAE, windows: MelodyWindows, n: int = N_COMPARED) -> dict[str, Any]:
    """How far a classifier tells samples of the prior from real windows, beside shuffled and other real ones."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(windows))
    real, other = (np.asarray(windows.tokens)[part] for part in (order[:n], order[n : 2 * n]))
    made = prior_windows(model, n, torch.Generator().manual_seed(0))
    at_first = write_windows(model, torch.randn(n, model.config.latent_dim, generator=torch.Generator().manual_seed(0)))
    pieces = [window_to_piece(row) for row in made]
    features = {
        "prior": melody_features(pieces),
        "shuffled": melody_features([shuffle_notes(window_to_piece(row), rng) for row in real]),
        "other_real": melody_features([window_to_piece(row) for row in other]),
    }
    real_pieces = [window_to_piece(row) for row in real]
    reference = melody_features(real_pieces)
    found = {name: classifier_two_sample(reference, table) for name, table in features.items()}
    runs = [copy_detector().longest_run(melody_symbols(piece)) for piece in pieces]
    real_runs = [copy_detector().longest_run(melody_symbols(piece)) for piece in real_pieces]
    return {
        "two_sample_accuracy": {name: result.accuracy for name, result in found.items()},
        "two_sample_standard_error": {name: result.standard_error for name, result in found.items()},
        "drawn_again": float(np.mean([not is_singable(row) for row in at_first])),
        "valid_before_repair": float(np.mean([np.array_equal(row, make_playable(row)) for row in made])),
        "fits_one_scale": {"prior": share_on_one_scale(pieces), "real": share_on_one_scale(real_pieces)},
        "leaps_over_an_octave": {"prior": share_of_wide_leaps(pieces), "real": share_of_wide_leaps(real_pieces)},
        "notes_a_window": {
            "prior": float((made >= FIRST_PITCH).sum(axis=1).mean()),
            "real": float((real >= FIRST_PITCH).sum(axis=1).mean()),
        },
        "longest_copied_run": {"prior": float(np.median(runs)), "real": float(np.median(real_runs))},
    }


def share_on_one_scale(pieces: Sequence[Piece]) -> float:
    """Share of pieces all of whose notes lie on one diatonic scale.

    >>> chromatic = Piece.from_notes([(0, 1, 60), (1, 1, 61), (2, 1, 62)])
    >>> share_on_one_scale([chromatic, Piece.from_notes([(0, 1, 60), (1, 1, 62)])])
    0.5
    """
    return float(np.mean([key_fit(piece) == 1 for piece in pieces]))


def share_of_wide_leaps(pieces: Sequence[Piece]) -> float:
    """Share of the steps from note to note that are wider than an octave.

    >>> share_of_wide_leaps([Piece.from_notes([(0, 1, 60), (1, 1, 72), (2, 1, 59)])])
    0.5
    """
    steps = np.concatenate([np.diff(piece.notes["pitch"].astype(int)) for piece in pieces])
    return float((np.abs(steps) > 12).mean())


SMALL = MelodyVAEConfig(latent_dim=32, encoder_dim=96, decoder_dim=128, head_dim=96)


DESIGNS = {
    "recurrent": SMALL,
    "recurrent, factorised": replace(SMALL, reads_back=False),
    "feed-forward": replace(SMALL, body="feedforward", encoder_dim=256, decoder_dim=256),
}
