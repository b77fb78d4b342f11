"""Readers of the sets' files; arena.components.data says which there are, and how they are split.

Each takes the folder and returns the set. They raise FileNotFoundError, OSError or ValueError where files are missing
or not what they should be.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path

import numpy as np

from arena.components.data import Dataset, Split
from arena.components.files import idx
from arena.seeding import generator

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_FER_PARTS = {"train": "Training", "public": "PublicTest", "test": "PrivateTest"}
_FER_SIDE = 48


def mnist(folder: Path) -> Dataset:
    """LeCun, Cortes & Burges: handwritten digits."""
    parts = {}
    for name, prefix in {"train": "train", "test": "t10k"}.items():
        images, labels = idx(folder / f"{prefix}-images-idx3-ubyte.gz"), idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ValueError(f"its images and labels do not go together: {images.shape} and {labels.shape}")
        parts[name] = Split(images, labels.astype(np.int64))
    return Dataset("mnist", parts, tuple("0123456789"))


def iris(folder: Path) -> Dataset:
    """Fisher (1936), as it comes with scikit-learn, or UCI's iris.data."""
    path = folder / "iris.data"
    if path.is_file():
        rows = [line.split(",") for line in path.read_text(encoding="utf-8").split()]
        inputs = np.array([row[:4] for row in rows], np.float32)
        classes, labels = np.unique([row[4].removeprefix("Iris-") for row in rows], return_inverse=True)
        split = Split(inputs, labels.astype(np.int64))
    else:
        from sklearn.datasets import load_iris

        inputs, labels = load_iris(return_X_y=True)
        classes = np.array(["setosa", "versicolor", "virginica"])
        split = Split(inputs.astype(np.float32), labels.astype(np.int64))
    return Dataset("iris", {"train": split, "test": split}, tuple(str(name) for name in classes))


def colours(folder: Path) -> Dataset:
    """The cookbook's 16 named colours."""
    with (folder / "colors.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    inputs = np.array([[int(value) for value in row[:3]] for row in rows])
    if inputs.shape[1:] != (3,) or inputs.min() < 0 or inputs.max() > 255:
        raise ValueError("colors.csv holds a colour that is not three numbers from 0 to 255")
    split = Split(inputs.astype(np.uint8), np.arange(len(inputs)))
    return Dataset("colours", {"train": split, "test": split}, tuple(row[3].strip() for row in rows))


def movielens(folder: Path) -> Dataset:
    """Harper & Konstan (2015): a million ratings of films; `about` has "titles", and "genres" with | between them.

    Users and films are numbered from 0: film k is MovieID k + 1, user k UserID k + 1.
    """
    ratings = np.loadtxt(io.StringIO(_movielens_text(folder).replace("::", " ")), np.int32, usecols=(0, 1, 2), ndmin=2)
    if ratings.shape[1:] != (3,) or not len(ratings) or ratings.min() < 1 or ratings[:, 2].max() > 5:
        raise ValueError("its ratings are not users, films and 1 to 5 stars")
    ratings[:, :2] -= 1
    ratings = ratings[np.lexsort((ratings[:, 1], ratings[:, 0]))]  # the same whatever the order in the file
    titles = {}
    for line in _movielens_file(folder, "movies.dat").decode("latin-1").splitlines():
        number, title, genres = line.split("::")
        titles[int(number) - 1] = (title, genres)
    num_films = max(int(ratings[:, 1].max()), *titles) + 1
    is_test = np.zeros(len(ratings), bool)
    is_test[generator(0, "movielens test").permutation(len(ratings))[: len(ratings) // 10]] = True
    return Dataset(
        "movielens-1m",
        {"train": Split(ratings[~is_test]), "test": Split(ratings[is_test])},
        about={
            "titles": [titles.get(k, ("", ""))[0] for k in range(num_films)],
            "genres": [titles.get(k, ("", ""))[1] for k in range(num_films)],
            "num_users": int(ratings[:, 0].max()) + 1,
            "num_films": num_films,
        },
    )


def _movielens_text(folder: Path) -> str:
    derived = folder / "ratings_no_timestamp.dat.gz"
    content = gzip.decompress(derived.read_bytes()) if derived.is_file() else _movielens_file(folder, "ratings.dat")
    return content.decode("latin-1")


def _movielens_file(folder: Path, name: str) -> bytes:
    archive = folder / "ml-1m.zip"
    if (folder / name).is_file() or not archive.is_file():
        return (folder / name).read_bytes()
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.read(f"ml-1m/{name}")
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{archive.name}: {error}") from error


def fer2013(folder: Path) -> Dataset:
    """Goodfellow et al. (2013): faces with one of seven emotions; fer2013.csv, or one mosaic of faces for each part."""
    path = folder / "fer2013.csv"
    parts = _fer_csv(path) if path.is_file() else _fer_mosaics(folder)
    return Dataset("fer2013", parts, EMOTIONS)


def _fer_csv(path: Path) -> dict[str, Split]:
    found: dict[str, tuple[list[np.ndarray], list[int]]] = {usage: ([], []) for usage in _FER_PARTS.values()}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            faces, emotions = found[row["Usage"].strip()]
            faces.append(np.array(row["pixels"].split(), np.uint8).reshape(_FER_SIDE, _FER_SIDE))
            emotions.append(int(row["emotion"]))
    return {part: Split(np.stack(found[usage][0]), np.array(found[usage][1])) for part, usage in _FER_PARTS.items()}


def _fer_mosaics(folder: Path) -> dict[str, Split]:
    from PIL import Image

    with gzip.open(folder / "fer2013_labels.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    parts = {}
    for part, usage in _FER_PARTS.items():
        labels = np.array([int(row["emotion"]) for row in rows if row["Usage"] == usage])
        with Image.open(folder / f"fer2013_{usage}.png") as image:
            mosaic = np.asarray(image)
        across, down = mosaic.shape[1] // _FER_SIDE, mosaic.shape[0] // _FER_SIDE
        faces = mosaic.reshape(down, _FER_SIDE, across, _FER_SIDE).swapaxes(1, 2).reshape(-1, _FER_SIDE, _FER_SIDE)
        if len(faces) != len(labels):
            raise ValueError(f"fer2013_{usage}.png holds {len(faces)} faces, its labels are {len(labels)}")
        parts[part] = Split(faces, labels)
    return parts
