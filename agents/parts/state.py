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


def load(
    folder: Path, like: Mapping[str, np.ndarray], values_like: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Returns what save() wrote.

    Args:
      folder: where it was written.
      like: arrays of the names, shapes and types that are expected.
      values_like: values of the names and types that are expected.

    Raises:
      DamagedFile: a file is missing or broken, or its contents are not what is expected.
    """
    try:
        with (folder / ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        values = json.loads((folder / VALUES).read_text())
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedFile(f"{folder} holds no readable state of an agent ({str(error).splitlines()[0]})") from error
    for given, wanted in (_describe(arrays), _describe(like)), (_types(values), _types(values_like)):
        if given != wanted:
            raise DamagedFile(f"{folder} holds the state of another agent: {given}, not {wanted}")
    return arrays, values


def generator_from(saved: Mapping[str, Any]) -> np.random.Generator:
    """Returns the generator whose `bit_generator.state` was saved. Raises DamagedFile where it is none."""
    generator = np.random.default_rng(0)
    try:
        generator.bit_generator.state = saved
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedFile(f"the saved state of a random generator is damaged ({error})") from error
    return generator


def _describe(arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    return {name: f"{array.dtype}{list(array.shape)}" for name, array in sorted(arrays.items())}


def _types(values: Any) -> dict[str, str]:
    if not isinstance(values, Mapping):
        return {"": type(values).__name__}
    return {name: type(value).__name__ for name, value in sorted(values.items())}
