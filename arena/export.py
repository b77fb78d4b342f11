"""From an agent to a file for a phone or a page: one LiteRT network that carries its card, in as few bits as asked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import envs
from arena import litert, policy, quantization, registry
from arena.comparison import Comparison, compare
from arena.conversion import function_to_litert, keras_to_litert, to_litert
from arena.errors import ArenaError, InvalidValue, UnknownName
from arena.evaluation import DEFAULT_ROWS, check_count
from arena.loop import Event
from arena.seeding import check_seed, derived_seed
from envs.rows import Rows

__all__ = ["Export", "export", "keras_to_litert", "to_litert"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Export:
    """What an export wrote.

    Attributes:
      ref: the agent.
      path: the file.
      env: the environment that the games were played in.
      quantize: none, float16, dynamic or int8.
      source_bytes, bytes: size of the policy before, and of the file.
      observations: how many calibrated int8, else 0.
      comparison: with the agent itself; None where the network is the same, bit for bit.
    """

    ref: str
    path: Path
    env: str
    quantize: str
    source_bytes: int
    bytes: int
    observations: int
    comparison: Comparison | None

    def to_json(self) -> dict[str, Any]:
        """Returns the result as a JSON object."""
        compared = self.comparison.to_json() if self.comparison else None
        ratio = self.bytes / self.source_bytes
        return vars(self) | {"path": str(self.path), "ratio": ratio, "comparison": compared}


def export(
    ref: str,
    out: Path,
    *,
    quantize: str = "none",
    env_id: str | None = None,
    env_settings: Mapping[str, Any] | None = None,
    episodes: int = 20,
    seed: int = 0,
    on_progress: Progress = lambda phase, done, total: None,
) -> Export:
    """Writes the policy of an agent to `out`, and plays it against the agent where its network has changed.

    Args:
      ref: an agent reference (see arena.registry).
      out: a new file that ends in .tflite, or in .npz for policies that are tables or linear features.
      quantize: none, float16, dynamic or int8 (see arena.quantization).
      env_id: where to play; the one on the policy's card when left out.
      env_settings: keywords for the environment's maker.
      episodes: games that both play, on the same seeds as `arena eval`.
      seed: root of all randomness.
      on_progress: called with "calibration" or "games", the games finished, and the games in all.
    """
    if quantize not in quantization.KINDS:
        raise UnknownName("quantization", quantize, quantization.KINDS)
    _check_out(out, quantize)
    check_count("episodes", episodes)
    check_seed(seed)
    reference = registry.resolve(ref, env_id)
    if env_id is None and reference.policy is None:
        raise InvalidValue(f"{ref} has no card that names its environment; give one with --env")
    env_id = env_id or reference.policy.card.env  # type: ignore[union-attr]
    rows = min(episodes, DEFAULT_ROWS)
    env = envs.make(env_id, rows, preprocess=reference.preprocess, settings=env_settings)
    try:
        original = reference.player(env.spec, seed=derived_seed(seed, "player"))
        if not isinstance(original, policy.Policy):
            raise ArenaError(f"{ref} plays by code of its own: it has no network and no table to export")
        _check_kinds(original, ref, out, quantize)
        return _write(original, ref, out, quantize, env, episodes, seed, on_progress)
    finally:
        env.close()


def _write(
    original: policy.Policy,
    ref: str,
    out: Path,
    quantize: str,
    env: Rows,
    episodes: int,
    seed: int,
    on_progress: Progress,
) -> Export:
    visited, comparison = None, None
    if quantize == "int8":
        watch = _counting("calibration", quantization.CALIBRATION_GAMES, on_progress)
        visited = quantization.visited_observations(env, original, seed, watch)
    converted = _converted(original, out, quantize, visited or (None, None), env)
    with tempfile.TemporaryDirectory() as folder:  # what plays is what was read back, not what was meant to be written
        source_bytes = policy.save(original, Path(folder) / "source").stat().st_size
        written = policy.load(policy.save(converted, Path(folder) / "written"))
    if quantize != "none" or type(converted.function) is not type(original.function):
        watch = _counting("games", 2 * episodes, on_progress)
        comparison = compare(env, original, written, num_games=episodes, seed=seed, on_event=watch)
    num_observations = len(visited[0]) if visited else 0
    done = {
        "quantize": original.card.export.get("quantize", "none") if quantize == "none" else quantize,
        "source_sha256": original.card.sha256,
        "calibration_observations": num_observations,
        "comparison": comparison.to_json() if comparison else None,
    }
    policy.save(written.with_card(export=done), out)
    return Export(ref, out, env.spec.env_id, quantize, source_bytes, out.stat().st_size, num_observations, comparison)


def _counting(phase: str, total: int, on_progress: Progress) -> Callable[[Event], None]:
    num_finished = 0

    def count(event: Event) -> None:
        nonlocal num_finished
        num_finished += len(event.finished)
        on_progress(phase, num_finished, total)

    return count


def _check_out(out: Path, quantize: str) -> None:
    if out.suffix not in registry.POLICY_SUFFIXES:
        raise InvalidValue(f"--out must end in .tflite or .npz, not {str(out)!r}")
    if out.suffix == ".npz" and quantize != "none":
        raise InvalidValue(f"only a .tflite file can be quantized; give --out one, or leave out --quantize {quantize}")
    check_new(out)


def check_new(out: Path) -> None:
    """Raises InvalidValue where a file cannot be new: it exists, or its folder does not."""
    if out.exists():
        raise InvalidValue(f"{out} exists already; give --out a new file")
    if not out.parent.is_dir():
        raise InvalidValue(f"there is no folder {out.parent} for {out.name}")


def _check_kinds(original: policy.Policy, ref: str, out: Path, quantize: str) -> None:
    if out.suffix == ".npz" and isinstance(original.function, policy.LiteRTFunction):
        raise InvalidValue(f"{ref} is a network; give --out a file that ends in .tflite")
    before = original.card.export.get("quantize", "none")
    if quantize != "none" and before != "none":
        raise InvalidValue(f"{ref} is quantized already ({before}); export from what it was made of")


def _converted(
    original: policy.Policy, out: Path, quantize: str, visited: tuple[np.ndarray | None, np.ndarray | None], env: Rows
) -> policy.Policy:
    """Returns the policy that is written; `visited` is what quantization.visited_observations() found, if asked."""
    function = original.function
    if out.suffix == ".npz":
        return original
    if isinstance(function, policy.LiteRTFunction):
        content = function.content
    else:
        content = function_to_litert(function, env.spec.observation_space.shape or ())
    if quantize != "none":
        content = quantization.quantize(content, quantize, *visited)
    return policy.Policy(policy.LiteRTFunction(litert.with_batch_of_one(content)), original.card, original.mode)
