"""Event files: read back with TensorBoard's own record reader, which checks every checksum."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub import errors
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
from tensorboard.plugins.hparams import metadata

from arena.errors import InvalidValue
from arena.monitor import GIF_MAX_BYTES, Monitor, gif, histogram


def events(folder: Path) -> list[Any]:
    found = []
    for path in sorted(folder.glob("*tfevents*")):
        reader = PyRecordReader_New(str(path))
        while True:
            try:
                reader.GetNext()
            except errors.OutOfRangeError:  # the end of the file
                break
            found.append(event_pb2.Event.FromString(reader.record()))
    return found


def values(folder: Path) -> list[tuple[str, int, Any]]:
    return [(value.tag, event.step, value) for event in events(folder) for value in event.summary.value]


def steps_of(folder: Path) -> list[int]:
    return [step for _, step, _ in values(folder)]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_records_around_the_size_of_a_block_are_read_back(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    texts = ["x" * size for size in (0, 1, 900, 950, 980, 1000, 1024, 2048, 5000)]
    for step, text in enumerate(texts):
        monitor.text("note", text, step)
    monitor.close()
    assert [value.tensor.string_val[0].decode() for _, _, value in values(tmp_path)] == texts


def test_a_file_opens_with_the_version_that_readers_look_for(tmp_path: Path) -> None:
    Monitor(tmp_path).close()
    assert [event.file_version for event in events(tmp_path)] == ["brain.Event:2"]


def test_scalars_are_written_at_their_step_and_at_once(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    monitor.scalars({"loss": 0.5, "episode/return": np.float32(-3.0)}, np.int64(1200))
    monitor.scalars({}, 1300)
    found = [(tag, step, value.tensor.float_val[0]) for tag, step, value in values(tmp_path)]  # not closed or flushed
    assert found == [("loss", 1200, 0.5), ("episode/return", 1200, -3.0)]
    monitor.close()


def test_each_kind_names_the_plugin_that_shows_it(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    monitor.scalars({"scalar": 1.0}, 0)
    monitor.text("text", "**bold**")
    monitor.histograms({"histogram": np.arange(3)}, 0)
    monitor.image("image", noise(4, 6, 3), 0)
    monitor.video("video", noise(2, 4, 6, 3), 0)
    monitor.hparams({"seed": 1}, {})
    monitor.close()
    plugins = {tag: value.metadata.plugin_data.plugin_name for tag, _, value in values(tmp_path)}
    assert plugins == {
        "scalar": "scalars",
        "text": "text",
        "histogram": "histograms",
        "image": "images",
        "video": "images",
        metadata.SESSION_START_INFO_TAG: "hparams",
    }


def test_a_histogram_counts_the_finite_values() -> None:
    # Two bins over [0, 4]: 0 and 1 fall into [0, 2), 2 and 4 into [2, 4]. The others are not finite.
    array = np.array([[0.0, 1.0, 2.0], [4.0, np.nan, np.inf]])
    assert histogram(array, bins=2).tolist() == [[0.0, 2.0, 2.0], [2.0, 4.0, 2.0]]


def test_a_histogram_of_equal_values_has_a_width_and_of_none_is_empty() -> None:
    rows = histogram(np.full(5, 3.0))
    assert rows[:, 2].sum() == 5
    assert (rows[:, 1] > rows[:, 0]).all()
    assert not histogram(np.zeros(0)).any()


def test_an_image_comes_back_pixel_by_pixel(tmp_path: Path) -> None:
    monitor, rgb = Monitor(tmp_path), noise(5, 7, 3)
    monitor.image("frame", rgb, 3)
    monitor.close()
    [(_, _, value)] = values(tmp_path)
    width, height, content = value.tensor.string_val
    assert (width, height) == (b"7", b"5")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), rgb)


def test_a_video_is_an_animated_gif_in_real_time(tmp_path: Path) -> None:
    frames = np.zeros((10, 20, 30, 3), np.uint8)
    frames[np.arange(10), :, np.arange(10)] = 255  # a moving bar: no two frames are the same
    content, width, height = gif(frames, fps=10)
    film = Image.open(io.BytesIO(content))
    assert (width, height, film.n_frames, film.info["duration"]) == (30, 20, 10, 100)


def test_a_long_and_noisy_video_is_thinned_out_to_a_megabyte() -> None:
    content, width, height = gif(noise(300, 250, 300, 3), fps=30)
    assert len(content) <= GIF_MAX_BYTES
    assert (width, height) == (150, 125)  # every second pixel: the longer side was above 240


def test_pixels_of_another_shape_or_type_are_refused(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    with pytest.raises(InvalidValue, match=r"image must be \[H, W, 3\] uint8, given \[4, 4\] uint8"):
        monitor.image("frame", noise(4, 4), 0)
    with pytest.raises(InvalidValue, match=r"video must be \[T, H, W, 3\] uint8, given \[0, 4, 4, 3\] uint8"):
        monitor.video("film", noise(0, 4, 4, 3), 0)
    with pytest.raises(InvalidValue, match="float64"):
        monitor.image("frame", np.zeros((4, 4, 3)), 0)
    monitor.close()


def test_hyperparameters_keep_their_types_and_metrics_are_scalars(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    settings = {"double": True, "learning_rate": 1e-3, "batch": np.int64(64), "net": [256, 256], "agent": "dqn"}
    monitor.hparams(settings, {})
    monitor.hparams(settings, {"best/return": 500.0}, step=1000)
    monitor.close()
    first, metric, again, end = values(tmp_path)
    start = metadata.parse_session_start_info_plugin_data(first[2].metadata.plugin_data.content)
    read = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
    assert read == {"double": True, "learning_rate": 1e-3, "batch": 64.0, "net": "[256, 256]", "agent": "dqn"}
    assert metric[:2] == ("best/return", 1000)
    assert (again[0], end[0]) == (metadata.SESSION_START_INFO_TAG, metadata.SESSION_END_INFO_TAG)


def test_a_resumed_run_tells_no_step_twice(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    monitor.scalars({"loss": 1.0}, 1)
    position = monitor.position()
    monitor.flush()
    monitor.scalars({"loss": 2.0}, 2)  # after the checkpoint
    monitor.close()
    for step in (2, 3):
        monitor = Monitor(tmp_path, resume_at=position)
        monitor.scalars({"loss": 2.0}, step)
        monitor.close()
    assert steps_of(tmp_path) == [1, 3]


def test_a_run_resumed_twice_keeps_what_each_part_had_at_its_checkpoint(tmp_path: Path) -> None:
    positions = []
    for part in range(3):
        monitor = Monitor(tmp_path, resume_at=positions[-1] if positions else None)
        monitor.scalars({"loss": 0.0}, 10 * part)
        positions.append(monitor.position())
        monitor.scalars({"loss": 0.0}, 10 * part + 5)
        monitor.close()
    assert steps_of(tmp_path) == [0, 10, 20, 25]


def test_resuming_survives_an_event_file_that_is_gone(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, resume_at=("events.out.tfevents.0000000001.arena", 100))
    monitor.scalars({"loss": 1.0}, 7)
    monitor.close()
    assert steps_of(tmp_path) == [7]


def test_starting_a_folder_anew_leaves_the_files_of_others(tmp_path: Path) -> None:
    Monitor(tmp_path).close()
    foreign = tmp_path / "events.out.tfevents.9999999999.host"
    foreign.write_bytes(b"")
    monitor = Monitor(tmp_path, resume_at=("", 0))
    monitor.close()
    assert foreign.exists()
    assert len(events(tmp_path)) == 1


def test_a_write_that_fails_leaves_no_torn_record(tmp_path: Path) -> None:
    class FullDisk:
        """Takes ten bytes, then has no space."""

        def __init__(self, file: io.FileIO) -> None:
            self.file, self.calls = file, 0

        def write(self, data: bytes) -> int:
            self.calls += 1
            if self.calls > 1:
                raise OSError(28, "No space left on device")
            return self.file.write(data[:10])

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    monitor = Monitor(tmp_path)
    monitor.scalars({"loss": 1.0}, 1)
    file = monitor._file
    monitor._file = FullDisk(file)  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space"):
        monitor.scalars({"loss": 2.0}, 2)
    monitor._file = file
    monitor.scalars({"loss": 3.0}, 3)
    monitor.close()
    assert steps_of(tmp_path) == [1, 3]


EVERYTHING = """
import pathlib, sys
import numpy as np
from arena.monitor import Monitor
monitor = Monitor(pathlib.Path(sys.argv[1]))
monitor.scalars({"loss": 1.0}, 1)
monitor.text("note", "text")
monitor.histograms({"w": np.ones(3)}, 1)
monitor.image("frame", np.zeros((4, 4, 3), np.uint8), 1)
monitor.video("film", np.zeros((2, 4, 4, 3), np.uint8), 1)
monitor.hparams({"seed": 1}, {"return": 1.0})
monitor.flush()
monitor.close()
"""


def test_tensorflow_is_never_imported(tmp_path: Path) -> None:
    code = EVERYTHING + "assert 'tensorflow' not in sys.modules and 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("order", ["tensorflow first", "monitor first"])
def test_tensorflow_and_its_own_summaries_work_beside_it(tmp_path: Path, order: str) -> None:
    theirs = """
import tensorflow as tf
with tf.summary.create_file_writer(sys.argv[1] + "/theirs").as_default():
    assert tf.summary.scalar("loss", 1.0, step=1).numpy()
    assert tf.summary.histogram("w", [1.0, 2.0], step=1).numpy()
"""
    parts = [theirs, EVERYTHING] if order == "tensorflow first" else [EVERYTHING, theirs]
    subprocess.run([sys.executable, "-c", "import sys\n" + "\n".join(parts), str(tmp_path)], check=True)
    assert len(list(tmp_path.rglob("*tfevents*"))) == 2
