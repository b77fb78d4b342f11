"""All that a training is to leave behind whether it was stopped or not: read, and compared to the bit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub import errors
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

from agents.parts.replay import TRANSITIONS
from arena import checkpoint, policy
from arena.agent import SEGMENTS

WALL_TIMES = ("seconds", "marks", "made_with")  # keys; files are as long as their wall times
OF_WALL_TIMES = ("throughput/", "_hparams_/")  # tags


def differences(one: Path, other: Path) -> list[str]:
    """Returns the names of what is not the same in two run folders."""
    a, b = contents(one), contents(other)
    return sorted(name for name in a.keys() | b.keys() if name not in a or name not in b or a[name] != b[name])


def contents(run: Path) -> dict[str, Any]:
    """Returns what a run folder holds, by name, as values that == compares."""
    newest = checkpoint.newest(run / "checkpoints")
    found: dict[str, Any] = {"newest checkpoint": newest.name, **_events(run)}
    for pattern in ("*.csv", "*.npz", "*.tflite", "milestones/*", "status.json"):
        found |= {str(path.relative_to(run)): _read(path) for path in run.glob(pattern)}
    for path in newest.rglob("*"):
        if path.is_file() and SEGMENTS not in path.parts and path.name != checkpoint.MANIFEST:
            found[f"checkpoint/{path.relative_to(newest)}"] = _read(path)
        if path.name == TRANSITIONS and (path.parent / SEGMENTS).is_dir():
            found[f"checkpoint/{path.parent.relative_to(newest)}/{SEGMENTS}"] = _frames(path.parent)
    return found


def _read(path: Path) -> Any:
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return [_without_wall_times(row) for row in csv.DictReader(file)]
    if path.suffix == ".json":
        return _without_wall_times(json.loads(path.read_text()))
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: _bits(arrays[name]) for name in arrays.files}
    if path.suffix == ".tflite":
        return _network(path)
    return path.read_bytes()


def _without_wall_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_wall_times(entry) for key, entry in value.items() if key not in WALL_TIMES}
    return value


def _bits(array: np.ndarray) -> tuple[str, tuple[int, ...], bytes]:
    return str(array.dtype), array.shape, array.tobytes()


def _network(path: Path) -> Any:
    """Returns a policy's card, its answers and its constants: TensorFlow numbers the names within a process."""
    played = policy.load(path)
    space = played.card.observation_space
    random, shape = np.random.default_rng(0), (8, *space["shape"])
    obs = random.integers(0, 256, shape) if space["dtype"] == "uint8" else random.normal(size=shape)
    size = played.function.state_size  # of its memory
    state = (random.normal(size=(8, size)).astype(np.float32),) if size else ()
    outputs = played.function(obs.astype(space["dtype"]), *state)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(path.read_bytes(), 0))
    buffers = (model.buffers[tensor.buffer].data for graph in model.subgraphs for tensor in graph.tensors)
    constants = (np.asarray(data, np.uint8).tobytes() for data in buffers if data is not None)
    answers = {name: _bits(values) for name, values in outputs.items()}
    return played.card.model_dump(), answers, sorted(constants)


def _frames(folder: Path) -> bytes:
    """Returns the frames that a replay's transitions need, however they are cut into files."""
    with np.load(folder / TRANSITIONS, allow_pickle=False) as saved:
        num_stored, num_added, first = saved["cursors"].tolist()
        needed = min(saved["oldest"][first % len(saved["oldest"])], saved["live"].min()) if num_added else num_stored
    paths = sorted((folder / SEGMENTS).iterdir())
    begin = int(paths[0].name.partition("-")[0]) if paths else num_stored
    frames = np.concatenate([np.load(path, allow_pickle=False) for path in paths]) if paths else np.empty(0)
    return frames[needed - begin :].tobytes()


def _events(run: Path) -> dict[str, list[tuple[int, bytes]]]:
    """Returns the steps and values of every tag in TensorBoard's files, in the order in which they were written."""
    found: dict[str, list[tuple[int, bytes]]] = {}
    for path in sorted(run.glob("events.*")):
        reader = PyRecordReader_New(str(path))
        while True:
            try:
                reader.GetNext()
            except errors.OutOfRangeError:  # the end of the file
                break
            event = event_pb2.Event.FromString(reader.record())
            for value in event.summary.value:
                if not value.tag.startswith(OF_WALL_TIMES):
                    series = found.setdefault(f"TensorBoard {value.tag}", [])
                    series.append((event.step, value.tensor.SerializeToString()))
    return found
