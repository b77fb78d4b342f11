"""Components on disk: NAME.safetensors for the numbers, NAME.json for all else, its hash of the numbers among it.

Floating-point numbers are stored as float16 where they fit, and are float32 again once loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from arena import files
from arena.components import registry
from arena.components.base import Component
from arena.errors import ArenaError, DamagedFile, InvalidValue, UnknownName
from arena.versions import versions

SUFFIX = ".safetensors"
PRETRAINED = Path(__file__).parent / "pretrained"
_FORMAT = 1
_MAX_HALF = float(np.finfo(np.float16).max)


def pretrained() -> dict[str, str]:
    """Returns the names of what is shipped: a component's own, or a longer one; and which component each is."""
    return {path.stem: str(read_card(path)["component"]) for path in sorted(PRETRAINED.glob(f"*{SUFFIX}"), key=_stem)}


def locate(ref: str | Path) -> Path:
    """Returns the .safetensors file that `ref` stands for: a name, such a file, or a folder that holds one.

    Raises UnknownName, or ArenaError where there is no such file.
    """
    path = Path(ref)
    if path.suffix == SUFFIX:
        return path
    if path.is_dir():
        found = sorted(path.glob(f"*{SUFFIX}"))
        if len(found) != 1:
            raise ArenaError(f"{path} holds {len(found) or 'no'} {SUFFIX} files: name the one that is meant")
        return found[0]
    shipped = PRETRAINED / f"{ref}{SUFFIX}"
    if shipped.is_file():
        return shipped
    if str(ref) not in registry.ENTRIES:
        choices = {*registry.ENTRIES, *pretrained()}
        raise UnknownName("component", str(ref), choices, f"or a {SUFFIX} file, or a folder with one")
    raise ArenaError(f"{ref} comes without weights: `arena component train {ref}` makes some")


def save(component: Component, path: Path, about: Mapping[str, Any] | None = None) -> Path:
    """Writes a component beside its JSON and returns the path, whose suffix is .safetensors.

    Args:
      component: a fitted one.
      path: of the file.
      about: what else the JSON tells, plain data: the set it was fitted on, metrics.
    """
    from safetensors.numpy import save as packed

    path = path.with_suffix(SUFFIX)
    content = packed({name: _stored(array) for name, array in component.arrays().items()})
    card = {
        "format": _FORMAT,
        "component": component.name,
        "settings": component.settings.model_dump(mode="json"),
        "shape": list(component.shape_),
        **(about or {}),
        "versions": versions(),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        files.write_json(path.with_suffix(".json"), card)
        os.replace(temporary, path)
    except OSError as error:
        raise ArenaError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def load(path: Path) -> Component:
    """Returns the component in a .safetensors file. Raises DamagedFile unless it is what was saved."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as unpacked

    card = read_card(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArenaError(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise DamagedFile(f"{path} is damaged: it is not what its .json tells of (sha256)")
    try:
        arrays = {name: _restored(array) for name, array in unpacked(content).items()}
        component = registry.component_class(card["component"])(**card["settings"])
        component.shape_ = tuple(int(size) for size in card["shape"])
        component.restore(arrays)
    except (SafetensorError, UnknownName, InvalidValue, TypeError, ValueError) as error:
        raise DamagedFile(f"{path} is damaged: {error}") from error
    return component


def read_card(path: Path) -> dict[str, Any]:
    """Returns what the .json beside a .safetensors file tells. Raises ArenaError or DamagedFile."""
    beside = path.with_suffix(".json")
    try:
        card = json.loads(beside.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        missing = beside if path.exists() else path
        raise ArenaError(f"there is no file {missing}") from error
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{beside} is damaged: it is no JSON text") from error
    wanted = {"format", "component", "settings", "shape", "sha256"}
    if not isinstance(card, dict) or not wanted <= card.keys() or card["format"] != _FORMAT:
        raise DamagedFile(f"{beside} is damaged: it does not describe a component")
    return card


def _stem(path: Path) -> str:
    return path.stem


def _stored(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return np.ascontiguousarray(array)
    fits = float(np.abs(array).max(initial=0.0)) <= _MAX_HALF
    return np.ascontiguousarray(array, np.float16 if fits else np.float32)


def _restored(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype.kind == "f" else array
