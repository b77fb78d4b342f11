"""A map of the states that an agent visits, coloured by value: as a picture, and in TensorBoard's Projector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

import envs
from arena import registry
from arena.agent import Mode
from arena.errors import InvalidValue
from arena.evaluation import DEFAULT_ROWS, check_count, expect_one_seat, play
from arena.files import slug, write_json
from arena.loop import Event
from arena.seeding import Stream, check_seed, derived_seed, episode_seed
from arena.state_sample import Sampler, States, kind_of

MAX_POINTS = 4_096  # whose pictures, of 128 x 128 pixels, still fit on the one sheet that the Projector takes
_MAX_DIMENSIONS = 50  # in the Projector
_MIN_STATES = 3
_NUM_PICTURES, _PICTURE_SIDE = 10, 46  # on the map; in points
_APART = 0.17  # of the map's sides, at least, between two pictures


@dataclass(frozen=True)
class StateMap:
    """A map in a folder, which `arena board` shows.

    Attributes:
      picture: map.png, the first two principal coordinates.
      value: what the colours are.
      points: how many states are on it, of `visited` ones.
      variance: shares of the observations' variance along the picture's axes.
      returns: of the games, raw.
    """

    folder: Path
    picture: Path
    agent: str
    env: str
    protocol: dict[str, Any]
    value: str
    points: int
    visited: int
    variance: tuple[float, float]
    returns: list[float]

    def to_json(self) -> dict[str, Any]:
        """Returns the map as a JSON object."""
        return {**asdict(self), "folder": str(self.folder), "picture": str(self.picture)}


def map_states(
    ref: str,
    env_id: str,
    *,
    episodes: int = 10,
    seed: int = 0,
    points: int = 2_000,
    out: Path | None = None,
    mode: str | None = None,
    preprocess: str | None = None,
    env_settings: Mapping[str, Any] | None = None,
    trust: bool = False,
    on_event: Callable[[Event], None] | None = None,
) -> StateMap:
    """Plays games of the agent `ref` in `env_id` as arena.evaluation.evaluate does, and draws the states it visits.

    The folder gets map.png, map.json and what TensorBoard shows: the map among the images, and in the Projector the
    states' first 50 principal coordinates, each with its value, action, step and game, and its picture if it is one.

    Args:
      points: how many of the states are drawn, chosen at random; the same ones for the same seed.
      out: a new folder; maps/AGENT-ENV-DATE when left out.
      episodes, seed, mode, preprocess, env_settings, trust, on_event: as for an evaluation.

    Raises ArenaError; nothing is written then.
    """
    check_count("episodes", episodes)
    check_seed(seed)
    if check_count("points", points) > MAX_POINTS:
        raise InvalidValue(f"points must be at most {MAX_POINTS}, not {points}")
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidValue(f"{out} exists already; give --out a new folder")
    reference = registry.resolve(ref, env_id)
    rows = min(episodes, DEFAULT_ROWS)
    env = envs.make(env_id, rows, preprocess=preprocess or reference.preprocess, settings=env_settings)
    try:
        expect_one_seat(env.spec)
        kind_of(env.spec)  # refuses what is none, before games are played
        sampler = Sampler(env.spec, points, seed)

        def watch(event: Event) -> None:
            sampler.add(event)
            if on_event is not None:
                on_event(event)

        parsed_mode = Mode.parse(mode) if mode is not None else None
        with reference.opened(env.spec, seed=derived_seed(seed, "player"), mode=parsed_mode, trust=trust) as player:
            games = play(env, player, lambda i: episode_seed(seed, Stream.EVALUATION, i), episodes, on_event=watch)
    finally:
        env.close()
    folder = out or Path("maps") / f"{slug(reference.name)}-{slug(env_id)}-{datetime.now():%Y%m%d-%H%M%S}"
    protocol = {**env.spec.protocol, "mode": str(player.mode) if player.mode else "own", "seed": seed}
    return _written(folder, sampler.states(), reference.name, env_id, protocol, [game.ret for game in games], seed)


def _written(
    folder: Path,
    states: States,
    agent: str,
    env_id: str,
    protocol: dict[str, Any],
    returns: list[float],
    seed: int,
) -> StateMap:
    """Draws the states and writes the folder."""
    from arena.components import pictures, projector
    from arena.monitor import Monitor

    coordinates, shares = principal_coordinates(states.observations, seed, standardise=states.kind == "vectors")
    images = _in_rgb(states.observations) if states.kind == "pictures" else None
    rgb = draw(coordinates, states.values, images, f"{agent} on {env_id}", states.value_is, shares)
    drawn = StateMap(
        folder,
        pictures.write(folder / "map.png", rgb),
        agent,
        env_id,
        protocol,
        states.value_is,
        len(states.values),
        states.num_visited,
        shares,
        returns,
    )
    monitor = Monitor(folder)
    try:
        monitor.image("map", rgb, 0)
    finally:
        monitor.close()
    columns = {
        "value": [f"{value:.5g}" for value in states.values],
        "action": [" ".join(f"{number:.4g}" for number in np.ravel(action)) for action in states.actions],
        "step": states.steps.tolist(),
        "episode": states.episodes.tolist(),
    }
    projector.write(folder, "states", coordinates, columns, images)
    write_json(folder / "map.json", drawn.to_json())
    return drawn


def principal_coordinates(
    observations: np.ndarray, seed: int, *, standardise: bool
) -> tuple[np.ndarray, tuple[float, float]]:
    """Returns [N, K] principal coordinates with K from 2 to 50, and the first two's shares of the variance.

    Standardise features with units of their own, as a vector's are; not those that share one, as pixels do.

    Raises InvalidValue where there are too few observations, or some are not finite.
    """
    from arena import components
    from arena.components.base import as_rows

    if len(observations) < _MIN_STATES:
        raise InvalidValue(
            f"a map takes at least {_MIN_STATES} states, not {len(observations)}; take more points or games"
        )
    rows = as_rows(observations, "a map")
    if standardise:
        scale = rows.std(axis=0, dtype=np.float64)
        rows = ((rows - rows.mean(axis=0, dtype=np.float64)) / np.where(scale > 1e-9, scale, 1.0)).astype(np.float32)
    pca = components.create("pca", n_dimensions=min(_MAX_DIMENSIONS, *rows.shape), seed=seed)
    with np.errstate(invalid="ignore"):  # scikit-learn divides by the variance, which may be 0
        pca.fit(rows)
    coordinates = pca.transform(rows)
    total = float(rows.var(axis=0).sum()) or 1.0
    shares = coordinates.var(axis=0) / total
    if coordinates.shape[1] < 2:
        coordinates, shares = np.pad(coordinates, ((0, 0), (0, 1))), np.append(shares, 0.0)
    return coordinates, (float(shares[0]), float(shares[1]))


def _in_rgb(pictures: np.ndarray) -> np.ndarray:
    """Returns [N, H, W, 3] of pictures that may be [N, H, W]."""
    return pictures if pictures.ndim == 4 else np.repeat(pictures[..., None], 3, axis=-1)


def draw(
    coordinates: np.ndarray,
    values: np.ndarray,
    images: np.ndarray | None,
    title: str,
    value_is: str,
    shares: tuple[float, float],
) -> np.ndarray:
    """Returns the map as [H, W, 3] uint8: the first two of the [N, K] coordinates, coloured by value.

    Some of the [N, H, W, 3] images, if there are any, are shown where they belong.
    """
    from arena.components import charts

    def fill(figure: Any) -> None:
        axes = figure.subplots()
        x, y = coordinates[:, 0], coordinates[:, 1]
        low, high = np.quantile(values, (0.01, 0.99))  # a few extremes would leave the others one colour
        dots = axes.scatter(x, y, c=values, s=9, linewidths=0, cmap="viridis", vmin=low, vmax=high)
        axes.margins(0.08, 0.08 if images is None else 0.15)
        axes.set_title(title)
        x_label, y_label = (f"principal coordinate {k + 1} ({share:.0%} of variance)" for k, share in enumerate(shares))
        axes.set(xlabel=x_label, ylabel=y_label)
        figure.colorbar(dots, ax=axes, label=value_is, extend="both", pad=0.02).outline.set_visible(False)
        if images is not None:
            _place(axes, images, dots)

    return charts.render(fill, 9.0, 6.6)


def _place(axes: Any, images: np.ndarray, dots: Any) -> None:
    """Shows some images above the dots that they belong to, framed in their colours."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    places = np.asarray(dots.get_offsets())
    for index in spread_out(places, _NUM_PICTURES, _APART):
        picture = OffsetImage(images[index], zoom=_PICTURE_SIDE / max(images.shape[1:3]))
        colour = dots.to_rgba(dots.get_array()[index])
        box = AnnotationBbox(
            picture,
            places[index],
            xybox=(0, 0.8 * _PICTURE_SIDE),
            boxcoords="offset points",
            pad=0.05,
            bboxprops={"edgecolor": colour, "linewidth": 2.0},
            arrowprops={"arrowstyle": "-", "color": colour},
        )
        axes.add_artist(box)


def spread_out(places: np.ndarray, number: int, apart: float) -> list[int]:
    """Returns indices of up to `number` of the [N, 2] places, each in turn the one farthest from those before it.

    It ends where the next one would be less than `apart` away, in parts of the sides of the box around all places.

    Source: Gonzalez (1985), "Clustering to minimize the maximum intercluster distance".
    """
    unit = (places - places.min(axis=0)) / np.maximum(np.ptp(places, axis=0), 1e-9)
    chosen = [int(np.square(unit - 0.5).sum(axis=1).argmax())]
    while len(chosen) < number:
        distance = np.min([np.linalg.norm(unit - unit[index], axis=1) for index in chosen], axis=0)
        if distance.max() < apart:
            break
        chosen.append(int(distance.argmax()))
    return chosen
