"""Safe files for weights: safetensors, never pickle, written whole or not at all, checked when read."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.nn.modules.module import register_module_parameter_registration_hook

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.core.paths import refuse_special, replacing

CHECKSUM = "musegen_seal"  # the name of the seal among the strings of a file
MAX_BYTES = 500_000_000  # of a file
MAX_SIZE, MAX_LAYERS = 1_000_000, 1_000  # of a number in a config
ROOM = 4  # a net may register this many times the weights of its file while it is made
VERSIONS = ("torch", "numpy", "music21")
Model = TypeVar("Model", bound=torch.nn.Module)
Config = TypeVar("Config")  # a frozen dataclass whose fields all have defaults


def write_state(path: Path, tensors: dict[str, torch.Tensor], about: dict[str, str]) -> None:
    """Write tensors and a few strings about them, sealed with a SHA-256 over both."""
    with replacing(path) as temporary:
        _save(tensors, temporary, path, about | {CHECKSUM: _checksum(tensors, about)})


def read_state(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read what `write_state` wrote; MusegenError if the file is missing, cut short or not as it was sealed."""
    tensors, about = read_tensors(path)
    if about.pop(CHECKSUM, None) != _checksum(tensors, about):
        raise MusegenError(f"{path.name}: damaged checkpoint (its seal is broken); restore or train it again")
    return tensors, about


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read the tensors of any safetensors file, and the strings about them; only its frame is checked."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MusegenError(f"{path.name}: larger than {MAX_BYTES // 10**6} MB; no net of this course is")
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError as fault:
        raise MusegenError(f"{path.name}: no such checkpoint in {path.parent.name}/; train it first") from fault
    except (SafetensorError, OSError) as fault:
        raise MusegenError(f"{path.name}: damaged checkpoint ({shorten(fault)}); restore or train it again") from fault


def _save(tensors: dict[str, torch.Tensor], temporary: Path, path: Path, about: dict[str, str] | None = None) -> None:
    """Write a safetensors file at `temporary`, to be `path`; a full disk is a MusegenError."""
    try:
        save_file({name: value.contiguous() for name, value in tensors.items()}, temporary, metadata=about)
    except SafetensorError as fault:  # its way to say that the disk is full
        raise MusegenError(f"{path}: cannot be written ({fault}); check the disk, what was there is kept") from fault


def _checksum(tensors: dict[str, torch.Tensor], about: dict[str, str]) -> str:
    """SHA-256 over names, types, shapes and bytes of the tensors, and over the strings."""
    digest = hashlib.sha256(json.dumps(sorted(about.items())).encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write_checkpoint(path: Path, model: torch.nn.Module, card: dict[str, Any]) -> None:
    """Write a model's weights, and beside them a card (.json): its config, `card`, versions and the file's SHA-256.

    Two files cannot change places in one instant. So the new card first waits beside the old one, as NAME.next.json;
    then the weights change, and with them the pair; then the card takes its place. Readers take the waiting card if it
    is the one that names the weights they find: killed at any moment, the old pair or the new one is there.
    """
    now, waiting = path.with_suffix(".json"), path.with_suffix(".next.json")
    refuse_special(now)
    if _names(waiting, path):  # finish what a killed writer had begun
        os.replace(waiting, now)
    try:
        with replacing(path) as new_weights:
            _save(model.state_dict(), new_weights, path)
            full = _full_card(model, card, hashlib.sha256(new_weights.read_bytes()).hexdigest())
            with replacing(waiting) as new_card:
                new_card.write_text(json.dumps(full, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except BaseException:
        if not _names(waiting, path):
            waiting.unlink(missing_ok=True)
        raise
    if now.exists():
        waiting.chmod(now.stat().st_mode & 0o777)
    os.replace(waiting, now)


def _full_card(model: torch.nn.Module, card: dict[str, Any], sha256: str) -> dict[str, Any]:
    return {
        "model": type(model).__name__,
        "config": asdict(model.config),
        **card,
        "parameters": sum(p.numel() for p in model.parameters()),
        "versions": {name: version(name).partition("+")[0] for name in VERSIONS},
        "python": ".".join(map(str, sys.version_info[:2])),
        "sha256": sha256,
    }


def read_card(path: Path) -> dict[str, Any]:
    """Read the card beside a checkpoint: of two, left by a killed writer, the one that names the weights."""
    card, waiting = path.with_suffix(".json"), path.with_suffix(".next.json")
    if not path.exists():
        raise MusegenError(f"{path.name}: no such checkpoint in {path.parent.name}/; train it first")
    card = waiting if _names(waiting, path) else card
    try:
        found = _read_json(card)
    except FileNotFoundError as fault:
        raise MusegenError(f"{card.name}: the checkpoint's card is missing; restore it or train again") from fault
    except (OSError, ValueError, RecursionError) as fault:
        raise MusegenError(f"{card.name}: the checkpoint's card is unreadable; restore it or train again") from fault
    if not isinstance(found.get("config"), dict):
        raise MusegenError(f"{card.name}: the checkpoint's card names no config; restore it or train again")
    return found


def _names(card: Path, path: Path) -> bool:
    """True where a card is there and names the bytes of a checkpoint."""
    try:
        return _read_json(card).get("sha256") == hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError, RecursionError):
        return False


def _read_json(path: Path) -> dict[str, Any]:
    """What a JSON file holds, if it is a dictionary; else an empty one. OSError, ValueError, RecursionError."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def read_config(path: Path, kind: type[Config]) -> Config:
    """Read the config of a checkpoint as a `kind`; a field that is not on the card keeps its default.

    A number that no net of ours comes near is refused before a net is made of it.
    """
    found, wanted = read_card(path)["config"], asdict(kind())
    try:
        for name, value in found.items():
            if name not in wanted or type(value) is not type(wanted[name]):
                raise ValueError(f"{name} = {repr(value)[:40]} is no field of it")
            if isinstance(value, int) and abs(value) > (MAX_LAYERS if "layers" in name else MAX_SIZE):
                raise ValueError(f"{name} = {value:.4g} is too large")
        return kind(**found)
    except ValueError as fault:
        card = f"{path.stem}.json: its config does not make a {kind.__name__} ({shorten(fault, 240)})"
        raise MusegenError(f"{card}; restore it or train again") from fault


def load_weights(path: Path, model: torch.nn.Module) -> None:
    """Fill the model with a checkpoint's weights, in eval mode.

    Raises:
        MusegenError: bytes differ from the card's SHA-256; a name, shape or type is not the model's; a value is not
            finite.
    """
    card = read_card(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != card.get("sha256"):
        raise MusegenError(f"{path.name}: damaged checkpoint (not the bytes its card names); restore or train it again")
    tensors, _ = read_tensors(path)
    _compare(path, model.state_dict(), tensors)
    model.load_state_dict(tensors)
    model.eval()


def load_model(path: Path, make: Callable[[Config], Model], kind: type[Config]) -> Model:
    """Make the net that a checkpoint's card describes by a config of `kind`, and fill it as `load_weights` does."""
    config, tensors = read_config(path, kind), read_tensors(path)[0]
    try:
        with _at_most(ROOM * sum(value.numel() for value in tensors.values())):
            model = make(config)
    except (ValueError, RuntimeError, MemoryError, OverflowError) as fault:  # torch's words for a size beyond memory
        card = f"{path.stem}.json: its config asks for another net than the file holds ({shorten(fault)})"
        raise MusegenError(f"{card}; restore it or train again") from fault
    load_weights(path, model)
    return model


@contextmanager
def _at_most(n_weights: int) -> Iterator[None]:
    """Stop the making of a net with a ValueError once it has more weights; none of them is filled by then."""
    made: dict[int, int] = {}

    def count(module: torch.nn.Module, name: str, weight: torch.nn.Parameter | None) -> None:
        made[id(weight)] = 0 if weight is None else weight.numel()
        if len(made) > n_weights or sum(made.values()) > n_weights:
            raise ValueError(f"more than {n_weights:,} weights")

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def _compare(path: Path, wanted: dict[str, torch.Tensor], found: dict[str, torch.Tensor]) -> None:
    """MusegenError for the first tensor that is not as wanted."""
    for name in sorted(wanted.keys() | found.keys()):
        fault = _fault(name, wanted.get(name), found.get(name))
        if fault:
            raise MusegenError(f"{path.name}: {fault}; the card's config does not describe this file")


def _fault(name: str, wanted: torch.Tensor | None, found: torch.Tensor | None) -> str:
    if wanted is None or found is None:
        return f"tensor {shorten(name, 60)} is {'unknown' if wanted is None else 'missing'}"
    if wanted.shape != found.shape or wanted.dtype != found.dtype:
        return f"tensor {name} is {found.dtype} {tuple(found.shape)}, not {wanted.dtype} {tuple(wanted.shape)}"
    if found.is_floating_point() and not torch.isfinite(found).all():
        return f"tensor {name} holds values that are not finite"
    return ""
