"""What an agent without TensorFlow remembers between runs: arrays as npz without objects, the rest as JSON."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import DamagedFile

ARRAYS, VALUES = "arrays.npz", "state.json"


def save(folder: Path, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
    """Writes arrays and JSON values into `folder`."""
    with (folder / ARRAYS).open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    (folder / VALUES).write_text(json.dumps(values, indent=2) + "\n")


def restore(folder: Path, into: Mapping[str, np.ndarray], keys: set[str]) -> dict[str, Any]:
    """Copies the saved arrays over those of `into` and returns the values, which must have these `keys`.

    Raises:
      DamagedFile: a file is missing or broken, or arrays or values are not the ones asked for. Then
        nothing has been changed.
    """
    try:
        with np.load(folder / ARRAYS, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        values = json.loads((folder / VALUES).read_text())
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedFile(f"{folder} holds no readable state of an agent ({str(error).splitlines()[0]})") from error
    given, wanted = _describe(arrays), _describe(into)
    if given != wanted:
        raise DamagedFile(f"{folder} holds the state of another agent: arrays {given}, not {wanted}")
    if not isinstance(values, dict) or set(values) != keys:
        raise DamagedFile(f"{folder / VALUES} should have the keys {', '.join(sorted(keys))}")
    for name, array in into.items():
        array[...] = arrays[name]
    return values


def _describe(arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    return {name: f"{array.dtype}{list(array.shape)}" for name, array in sorted(arrays.items())}
