"""The sets that components are fitted on: from a folder, or downloaded with a checked hash.

Splits are fixed, the same for everybody:

  mnist         the original ones: 60,000 training and 10,000 test images, [28, 28] uint8; labels 0 to 9
  iris          150 flowers of 4 measurements in cm, all of them in both parts: clusters need no held-out part
  colours       16 named colours, [3] uint8, all of them in both parts
  movielens-1m  ratings [N, 3] int32 of user, film and stars, ids from 0; a random tenth, the same always, is the test
  fer2013       the original three: 28,709 training, 3,589 public and 3,589 private test faces, [48, 48] uint8;
                `test` is the private one, `public` the other
  multi30k      29,000 captions in English, French and German, aligned; val is the part "dev", test_2016_flickr the test
  iwslt15       133,317 sentences of talks in English and Vietnamese; tst2012 is the part "dev", tst2013 the test
  shakespeare   the speeches of the plays, a text; the last tenth is the test; so with tinyshakespeare, a part of it
  bitcoin       daily prices in USD and EUR, [T, 2]; the last fifth of the days is the test
  FILE.npy      [N, ...] examples of your own, or a .csv file of numbers; the last tenth is the test
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arena.components import files
from arena.errors import ArenaError, DamagedFile, InvalidValue, UnknownName


@dataclass(frozen=True)
class Split:
    """One part of a set: [N, ...] inputs, and [N] integer labels where there are any."""

    inputs: Any
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Dataset:
    """A set with its fixed parts.

    Attributes:
      name: of the set.
      splits: by name, "train" and "test" among them.
      classes: what the labels mean.
      about: what else belongs to it (titles of films, ...).
    """

    name: str
    splits: Mapping[str, Split]
    classes: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def train(self) -> Split:
        """What is learned from."""
        return self.splits["train"]

    @property
    def test(self) -> Split:
        """What is reported on."""
        return self.splits["test"]


class Source(NamedTuple):
    """Where a set comes from.

    Attributes:
      reader: "module:function", from the folder to a Dataset; the module is in this package.
      marks: a folder that holds one of these files is such a set.
      urls: what to download, each with its SHA-256.
      advice: where the set is to be had when it cannot be downloaded.
      own: "module:function", from a user's file to a Dataset, where that is no array of examples.
    """

    reader: str
    marks: tuple[str, ...]
    urls: Mapping[str, str] = {}
    advice: str = ""
    own: str = ""


_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_COLOURS = "https://raw.githubusercontent.com/PacktPublishing/TensorFlow-1x-Deep-Learning-Cookbook/master/Chapter07/"
_MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
_TINY_SHAKESPEARE = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SOURCES = {
    "mnist": Source(
        "readers:mnist",
        ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"),
        {
            _MNIST + "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            _MNIST + "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            _MNIST + "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            _MNIST + "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "iris": Source("readers:iris", ("iris.data",)),
    "colours": Source(
        "readers:colours",
        ("colors.csv",),
        {_COLOURS + "colors.csv": "ced6bbc12f610742fdf0fd19acde0bc72ef1744001d4d81d869c841fe24e3ba7"},
    ),
    "movielens-1m": Source(
        "readers:movielens",
        ("movies.dat", "ratings.dat", "ratings_no_timestamp.dat.gz", "ml-1m.zip"),
        {
            "https://files.grouplens.org/datasets/movielens/ml-1m.zip": (
                "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20"
            )
        },
    ),
    "fer2013": Source(
        "readers:fer2013",
        ("fer2013.csv", "fer2013_labels.csv.gz"),
        advice="log in to kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge, "
        "download fer2013.tar.gz, unpack it",
    ),
    "iwslt15": Source(
        "translation.corpora:iwslt15",
        ("tst2013.en", "tst2013.en.gz", "test-2013-en-vi.tgz"),
        advice="get train, tst2012 and tst2013 in .en and .vi, and vocab.en and vocab.vi, from "
        "nlp.stanford.edu/projects/nmt/data/iwslt15.en-vi",
    ),
    "multi30k": Source(
        "translation.corpora:multi30k",
        ("train.en.gz", "train.en"),
        {
            _MULTI30K + "test_2016_flickr.de.gz": "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
            _MULTI30K + "test_2016_flickr.en.gz": "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
            _MULTI30K + "test_2016_flickr.fr.gz": "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90",
            _MULTI30K + "train.de.gz": "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
            _MULTI30K + "train.en.gz": "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
            _MULTI30K + "train.fr.gz": "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c",
            _MULTI30K + "val.de.gz": "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
            _MULTI30K + "val.en.gz": "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
            _MULTI30K + "val.fr.gz": "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9",
        },
    ),
    "shakespeare": Source(
        "texts:shakespeare",
        ("shakespeare_speeches.txt.gz",),
        advice="give a text file with --data, or --data tinyshakespeare, or make shakespeare_speeches.txt.gz",
        own="texts:own",
    ),
    "tinyshakespeare": Source(
        "texts:tinyshakespeare",
        ("tinyshakespeare_input.txt.gz", "input.txt"),
        {_TINY_SHAKESPEARE: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"},
        own="texts:own",
    ),
    "bitcoin": Source(
        "prices:bitcoin",
        ("btc_usd_eur_daily.csv", "btc_2010-07-18_2017-03-03.csv"),
        advice="make a .csv file with the columns date, usd and eur, a row for every day",
        own="prices:own",
    ),
}


def load(where: str | Path | None, choices: Sequence[str]) -> Dataset:
    """Returns a set that is one of `choices`.

    Args:
      where: a folder with its files, a .npy or .csv file of examples, or a set's name; None for the first choice.
        What is named is downloaded, once.
      choices: names of sets; a file of examples may stand for any of them.

    Raises:
      UnknownName, InvalidValue: there is no such set, or not for this use.
      ArenaError: it cannot be had.
      DamagedFile: its files are not what they should be.
    """
    path = Path(where) if where is not None else None
    if path is not None and path.is_file():
        own: Dataset = _function(SOURCES[choices[0]].own or "data:_own")(path)
        return own
    if path is not None and path.is_dir():
        return _read(_recognised(path, choices), path)
    name = choices[0] if where is None else str(where)
    if name not in SOURCES:
        if path is not None and (path.suffix or os.sep in name):
            raise ArenaError(f"there is no file or folder {path}")
        raise UnknownName("set", name, SOURCES, "or give the folder that holds its files")
    if name not in choices:
        raise InvalidValue(f"{name} is not for this component; it takes {', '.join(choices)}")
    return _read(name, fetch(name))


def cache_folder() -> Path:
    """Returns where downloads are kept: ARENA_DATA, or the user's cache."""
    import pooch

    return Path(os.environ.get("ARENA_DATA") or pooch.os_cache("agent-arena"))


def fetch(name: str) -> Path:
    """Returns the folder of a set, downloaded unless it is there. Raises ArenaError where it cannot be had."""
    source = SOURCES[name]
    if source.advice:
        raise ArenaError(f"{name} cannot be downloaded: {source.advice}, and give the folder with --data")
    if not source.urls:
        return Path()
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    folder = cache_folder() / name
    for url, digest in source.urls.items():
        try:
            pooch.retrieve(url, f"sha256:{digest}", url.rpartition("/")[2], folder)
        except ValueError as error:
            raise DamagedFile(f"{url} is not what it was (sha256); give a folder with the files with --data") from error
        except OSError as error:  # of requests too
            reason = type(error).__name__
            raise ArenaError(f"{url} cannot be downloaded ({reason}); give a folder with it with --data DIR") from error
    return folder


def _recognised(folder: Path, choices: Sequence[str]) -> str:
    found = [name for name, source in SOURCES.items() if any((folder / mark).is_file() for mark in source.marks)]
    if not found:
        wanted = " or ".join(f"{SOURCES[name].marks[0]} ({name})" for name in choices)
        raise ArenaError(f"{folder} holds no set that is known; looked for {wanted}")
    fitting = [name for name in found if name in choices]
    if not fitting:
        raise InvalidValue(f"{folder} holds {found[0]}, which is not for this component; it takes {', '.join(choices)}")
    return fitting[0]


def _read(name: str, folder: Path) -> Dataset:
    try:
        dataset: Dataset = _function(SOURCES[name].reader)(folder)
    except FileNotFoundError as error:
        raise ArenaError(f"{name} is not complete: there is no {error.filename}") from error
    except (OSError, EOFError, ValueError) as error:
        raise DamagedFile(f"{name} in {folder} is damaged: {error}") from error
    return dataset


def _function(target: str) -> Any:
    module, _, function = target.partition(":")
    return getattr(importlib.import_module(f"arena.components.{module}"), function)


def _own(path: Path) -> Dataset:
    from arena.components.base import as_rows

    examples = files.read(path)
    as_rows(examples, str(path))  # says what is wrong with them before anything is learned
    first_of_test = len(examples) - max(1, len(examples) // 10)
    if not first_of_test:
        raise InvalidValue(f"{path} holds one example; two at least are needed, the last tenth is the test part")
    return Dataset(path.stem, {"train": Split(examples[:first_of_test]), "test": Split(examples[first_of_test:])})
