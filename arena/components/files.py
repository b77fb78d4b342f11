"""Files of examples, to and from the command line: .npy, .csv, PNG pictures and MNIST's IDX."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from arena.errors import ArenaError, DamagedFile, InvalidValue

if TYPE_CHECKING:
    from arena.components.base import Component

_READ, _WRITTEN = (".npy", ".csv", ".png", ".gz"), (".npy", ".csv", ".png")


def run(component: Component, source: str, out: Path | None) -> str:
    """Applies a component to a file: its outputs go to a .npy or .csv, a picture of them to a .png.

    Returns the line that tells of it.
    """
    if out is None or out.suffix not in _WRITTEN:
        raise InvalidValue(f"--out must end in {', '.join(_WRITTEN)}; given {str(out) if out else 'none'!r}")
    component.check_fitted()
    inputs = read(Path(source), component.shape_)
    if out.suffix == ".png":
        from arena.components import pictures

        pictures.write(out, component.show(inputs))
        return f"{len(inputs)} examples: a picture of them is in {out}"
    outputs = component.outputs(inputs)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".npy":
        np.save(out, outputs, allow_pickle=False)
    else:
        table = outputs.reshape(len(outputs), -1)
        np.savetxt(out, table, delimiter=",", fmt="%d" if table.dtype.kind in "iu" else "%.6g")
    return f"{len(inputs)} examples: {list(outputs.shape)} {outputs.dtype} in {out}"


def read(path: Path, shape: tuple[int, ...] = ()) -> np.ndarray:
    """Returns a file's examples, [N, ...]; a picture is one of them, scaled to `shape` [H, W].

    Raises ArenaError or DamagedFile where it cannot be read.
    """
    if path.suffix not in _READ:
        raise InvalidValue(f"{path} must be a file that ends in {', '.join(_READ)}")
    if not path.is_file():
        raise ArenaError(f"there is no file {path}")
    try:
        if path.suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if path.suffix == ".csv":
            return _table(path)
        return _picture(path, shape) if path.suffix == ".png" else idx(path)
    except (OSError, ValueError, EOFError) as error:
        raise DamagedFile(f"{path} cannot be read: {error}") from error


def idx(path: Path) -> np.ndarray:
    """Returns a gzipped IDX file, the format of MNIST: uint8 [N, ...].

    Raises ValueError or OSError where it is none. Source: yann.lecun.com/exdb/mnist, "File formats".
    """
    import gzip

    with gzip.open(path) as file:
        content = file.read()
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError("it is no IDX file of bytes")
    num_dims = content[3]
    sizes = np.frombuffer(content, ">i4", num_dims, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * num_dims).reshape(sizes)


def _table(path: Path) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an empty file: told by who uses the examples
        return np.loadtxt(path, np.float32, delimiter=",", ndmin=2, encoding="utf-8-sig")


def _picture(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    from PIL import Image

    if len(shape) not in (2, 3):
        raise InvalidValue(f"{path} is a picture; wanted are examples of shape {list(shape)}")
    with Image.open(path) as image:
        grey_or_rgb = image.convert("RGB" if shape[2:] == (3,) else "L")
        pixels = np.asarray(grey_or_rgb.resize((shape[1], shape[0])))
    return pixels.reshape(1, *shape)
