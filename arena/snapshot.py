"""What a checkpoint of a training holds, and how a training goes on from it.

state.json  how far it is, what each row is in the middle of, where the run's files stood, and what all ran on
rows.npz    the actions of the rows' episodes
shown.npy   the observation that the next preview shows
agent/      what the agent wrote
best/       the best policy so far, and what the agent wrote then, but for what is written once

All that a resumed run needs is in one checkpoint, so that an older one serves as well as the newest.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydantic

from arena import checkpoint, trackers
from arena.agent import SEGMENTS
from arena.errors import DamagedFile
from arena.files import write_json
from arena.loop import RowStart
from arena.run_folder import load_config

STATE, ROWS, SHOWN, AGENT = "state.json", "rows.npz", "shown.npy", "agent"


@dataclass
class TrainingState:
    """How far a training is: what a checkpoint holds beside the agent and the rows.

    Attributes:
      step: environment steps taken.
      episodes: episodes ended.
      next_episode: the first episode that nobody has begun.
      seconds: spent on it, over all its processes.
      recent: the returns of the last episodes.
      last, last_eval_step: mean and step of the last evaluation.
      best, best_step: mean and step of the best one.
      num_evals, next_eval: how many there were, and the step at which the next is due.
      last_log_step: when the learner's metrics were last written.
      is_reproducible: whether the environment's episodes can be brought back from their seeds and actions.
    """

    step: int = 0
    episodes: int = 0
    next_episode: int = 0
    seconds: float = 0.0
    recent: list[float] = field(default_factory=list)
    last: float | None = None
    last_eval_step: int = -1
    best: float | None = None
    best_step: int | None = None
    num_evals: int = 0
    next_eval: int = 0
    last_log_step: int = 0
    is_reproducible: bool = True


class Snapshot(NamedTuple):
    """A training between two steps; the agent is apart.

    Attributes:
      state: how far it is.
      starts: what each row is in the middle of, None where it is at an end.
      marks: where the run's files stood (see RunFolder.marks).
      made_with: versions and machine (see arena.versions).
      shown: one observation, for previews; None before the first step.
    """

    state: TrainingState
    starts: list[RowStart | None]
    marks: Mapping[str, Any]
    made_with: Mapping[str, Any]
    shown: np.ndarray | None = None


def write(snapshot: Snapshot, folder: Path) -> None:
    """Writes a snapshot into the folder of a checkpoint."""
    if snapshot.shown is not None:
        np.save(folder / SHOWN, snapshot.shown)
    rows = trackers.save_starts(snapshot.starts, folder / ROWS)
    content = {"training": asdict(snapshot.state), "rows": rows, "marks": snapshot.marks}
    write_json(folder / STATE, {**content, "made_with": snapshot.made_with})


def read(start: Path) -> Snapshot:
    """Returns the snapshot in a checkpoint. Raises DamagedFile where it cannot be read."""
    try:
        content = json.loads((start / STATE).read_text())
        state = pydantic.TypeAdapter(TrainingState).validate_python(asdict(TrainingState(**content["training"])))
        shown = np.load(start / SHOWN, allow_pickle=False) if (start / SHOWN).exists() else None
        starts = trackers.load_starts(content["rows"], start / ROWS)
        return Snapshot(state, starts, content["marks"], content["made_with"], shown)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise DamagedFile(f"checkpoint {start} is damaged: {STATE} cannot be read ({reason})") from error


def keep_best(folder: Path, run: Path) -> None:
    """Makes the policy and the agent of a checkpoint that is being written the best ones."""
    best = folder / checkpoint.BEST
    shutil.rmtree(best, ignore_errors=True)
    for path in sorted((folder / AGENT).rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and SEGMENTS not in name.parts:
            _link(path, best / name)
    for path in run.glob("best.*"):
        _link(path, best / path.name)


def bring_back_best(start: Path | None, run: Path) -> None:
    """Makes the best policy of a run folder the one of the checkpoint it goes on from, if any."""
    kept = {path.name: path for path in (start / checkpoint.BEST).glob("best.*")} if start else {}
    for path in run.glob("best.*"):
        if path.name not in kept:
            path.unlink()
    for name, path in kept.items():
        temporary = run / f"{name}.tmp"
        temporary.unlink(missing_ok=True)
        _link(path, temporary)
        os.replace(temporary, run / name)  # where both are one file this does nothing,
        temporary.unlink(missing_ok=True)  # and leaves the temporary one


def weights_of(run: Path) -> Path:
    """Returns what the agent wrote when its policy was the best, else last, for --from."""
    load_config(run)
    newest = checkpoint.newest(run / "checkpoints")
    best = newest / checkpoint.BEST / AGENT
    return best if best.is_dir() else newest / AGENT


def _link(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
