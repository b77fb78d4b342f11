"""Recommendations from the command line: a user's number or file in, a list of titles out."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from arena.components import data as sets
from arena.components import files
from arena.errors import InvalidValue

if TYPE_CHECKING:
    from arena.components.data import Dataset
    from arena.components.rbm_recommender import RBMRecommender

_WRITTEN = (".json", ".csv", ".txt")
_COLUMNS = ("movie_id", "title", "genres", "stars", "chance")


def run(recommender: RBMRecommender, source: str, out: Path | None, data: str | None) -> str:
    """Writes ten films for a user to a file, and returns the line that tells of it.

    Args:
      recommender: a fitted one.
      source: a UserID of the set, whose ratings stand there; or a .csv file of somebody's own ratings, one a line,
        MovieID and stars.
      out: a .json, .csv or .txt file. Films have their MovieID, title, genres, expected stars, and the chance, by
        which they are ranked, that the user would rate them, and with 4 stars or more.
      data: the set with the titles, as for arena.components.data.load.
    """
    if out is None or out.suffix not in _WRITTEN:
        raise InvalidValue(f"--out must end in {', '.join(_WRITTEN)}; given {str(out) if out else 'none'!r}")
    dataset = sets.load(data, recommender.datasets)
    own = ratings_of(source, dataset)
    about = dataset.about
    rows = [
        (film + 1, about["titles"][film], about["genres"][film], round(stars, 2), round(chance, 3))
        for film, stars, chance in recommender.recommend(own)
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_text(rows, source, out.suffix), encoding="utf-8")
    return f"{len(rows)} films for {source}, who rated {len(own)}, are in {out}; first comes {rows[0][1]}"


def ratings_of(source: str, dataset: Dataset) -> np.ndarray:
    """Returns [N, 2]: films, from 0, and stars. Raises UnknownName, InvalidValue or ArenaError where there are none."""
    if source.isdecimal():
        given = np.concatenate([split.inputs for split in dataset.splits.values()])
        own: np.ndarray = given[given[:, 0] == int(source) - 1, 1:]
        if not len(own):
            raise InvalidValue(f"{dataset.name} has no user {source}; they are 1 to {dataset.about['num_users']}")
        return own
    path = Path(source)
    if path.suffix != ".csv":
        raise InvalidValue(f"INPUT is the number of a user, or a .csv file of MovieID and stars; given {source!r}")
    table = files.read(path)
    if table.shape[1:] != (2,) or not len(table):
        raise InvalidValue(f"{path} must have two columns, MovieID and stars; given {list(table.shape)}")
    numbered_from_0: np.ndarray = table - np.array([1, 0])
    return numbered_from_0


def _text(rows: list[tuple[int, str, str, float, float]], user: str, suffix: str) -> str:
    if suffix == ".json":
        films = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        return json.dumps({"user": user, "films": films}, indent=1, ensure_ascii=False) + "\n"
    if suffix == ".txt":
        return "".join(f"{stars:.1f}  {title}\n" for _, title, _, stars, _ in rows)
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerows([_COLUMNS, *rows])
    return content.getvalue()
