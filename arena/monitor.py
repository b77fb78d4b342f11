"""TensorBoard: what happens in a run, written as an event file without importing TensorFlow.

The protocol buffers are TensorBoard's own (`tensorboard.compat.proto`); the file is written here, because
TensorBoard's `EventFileWriter` imports TensorFlow and hides its byte offset. Every call is one record and one
unbuffered write: nothing waits in memory, so a killed run loses no event and a board shows each at once.

The data have the format of the second generation of summaries (tensorboard/plugins/*/summary_v2.py).
"""

from __future__ import annotations

import functools
import io
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

from arena.errors import InvalidValue
from arena.tfrecord import framed

Summary = summary_pb2.Summary

HISTOGRAM_BINS = 30
GIF_MAX_BYTES = 1_000_000
GIF_MAX_SIDE = 240
GIF_MAX_FRAMES = 150
GIF_MAX_FRAME_S = 0.1


class Monitor:
    """Writes what TensorBoard shows of one run. Steps are environment steps.

    Args:
      folder: the run folder; it is made if need be.
      resume_at: a `position` that was stored with a checkpoint. All that was written after it is removed, so that
        no step is told twice; earlier events stay. ("", 0) starts the folder anew.

    Attributes:
      path: the event file.
    """

    def __init__(self, folder: Path, *, resume_at: tuple[str, int] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if resume_at is not None:
            _cut(folder, *resume_at)
        # Always a new file: a board that is already reading the old one would take an appended record for a torn one.
        self.path = folder / _next_name(folder)
        self._file = self.path.open("xb", buffering=0)
        self._write(event_pb2.Event(file_version="brain.Event:2"))

    def position(self) -> tuple[str, int]:
        """Returns the event file's name and its length in bytes: store it with a checkpoint, give it to `resume_at`."""
        return self.path.name, self._file.tell()

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Writes one number for every name."""
        metadata = _metadata("scalars", summary_pb2.DATA_CLASS_SCALAR)
        self._add(
            step,
            *(
                Summary.Value(
                    tag=name,
                    metadata=metadata,
                    tensor=tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=(float(value),)),
                )
                for name, value in values.items()
            ),
        )

    def text(self, name: str, markdown: str, step: int = 0) -> None:
        """Writes a text; tables and code blocks are shown as such."""
        metadata = _metadata("text", summary_pb2.DATA_CLASS_TENSOR)
        tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[markdown.encode()])
        self._add(step, Summary.Value(tag=name, metadata=metadata, tensor=tensor))

    def histograms(self, arrays: Mapping[str, np.ndarray], step: int) -> None:
        """Writes the distribution of every array's finite values."""
        metadata = _metadata("histograms", summary_pb2.DATA_CLASS_TENSOR)
        values = []
        for name, array in arrays.items():
            buckets = histogram(array)
            tensor = tensor_pb2.TensorProto(
                dtype=types_pb2.DT_DOUBLE, tensor_shape=_shape(buckets.shape), tensor_content=buckets.tobytes()
            )
            values.append(Summary.Value(tag=name, metadata=metadata, tensor=tensor))
        self._add(step, *values)

    def image(self, name: str, rgb: np.ndarray, step: int) -> None:
        """Writes a picture: [H, W, 3] uint8."""
        from PIL import Image

        _check_pixels("image", rgb, 3)
        content = io.BytesIO()
        Image.fromarray(rgb).save(content, "PNG")
        self._add_blob(name, rgb.shape[1], rgb.shape[0], content.getvalue(), step)

    def video(self, name: str, frames: np.ndarray, step: int, fps: float = 30) -> None:
        """Writes a film, [T, H, W, 3] uint8 with T at least 1, as an animated GIF among the images.

        It is thinned out to fit about a megabyte; one longer than 15 s is shown in fast motion.
        """
        _check_pixels("video", frames, 4)
        content, width, height = gif(frames, fps)
        self._add_blob(name, width, height, content, step)

    def hparams(self, settings: Mapping[str, Any], metrics: Mapping[str, float], step: int = 0) -> None:
        """Writes the run's row in the HParams tab: its settings, and metrics as scalars at `step`.

        Call it with no metrics when the run starts, so that a run which is killed is listed too, and with the
        final ones when it ends. Settings that are no bool, number or string are shown as text.
        """
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        # No experiment summary: a board of many runs would read only the first one's and hide what the others add.
        now = time.time()
        start = plugin_data_pb2.SessionStartInfo(start_time_secs=now)
        for name, value in settings.items():
            value = value.item() if isinstance(value, np.generic) else value
            if isinstance(value, bool):
                start.hparams[name].bool_value = value
            elif isinstance(value, int | float):
                start.hparams[name].number_value = value
            else:
                start.hparams[name].string_value = str(value)
        infos = {metadata.SESSION_START_INFO_TAG: plugin_data_pb2.HParamsPluginData(session_start_info=start)}
        if metrics:
            self.scalars(metrics, step)
            end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=now)
            infos[metadata.SESSION_END_INFO_TAG] = plugin_data_pb2.HParamsPluginData(session_end_info=end)
        self._add(
            step,
            *(
                Summary.Value(tag=tag, metadata=metadata.create_summary_metadata(info), tensor=metadata.NULL_TENSOR)
                for tag, info in infos.items()
            ),
        )

    def flush(self) -> None:
        """Makes what was written survive a loss of power."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the event file. Closing again does nothing."""
        self._file.close()

    def _add_blob(self, name: str, width: int, height: int, content: bytes, step: int) -> None:
        metadata = _metadata("images", summary_pb2.DATA_CLASS_BLOB_SEQUENCE)
        strings = [str(width).encode(), str(height).encode(), content]
        tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, tensor_shape=_shape([3]), string_val=strings)
        self._add(step, Summary.Value(tag=name, metadata=metadata, tensor=tensor))

    def _add(self, step: int, *values: Any) -> None:
        if values:
            self._write(event_pb2.Event(step=int(step), summary=Summary(value=values)))

    def _write(self, event: event_pb2.Event) -> None:
        event.wall_time = time.time()
        record = framed(event.SerializeToString())
        start = self._file.tell()
        try:
            while record:
                record = record[self._file.write(record) :]
        except OSError:
            self._file.truncate(start)  # a full disk must not leave a torn record, which ends the file for its readers
            self._file.seek(start)
            raise


def histogram(array: np.ndarray, bins: int = HISTOGRAM_BINS) -> np.ndarray:
    """Returns [bins, 3] float64 rows (left, right, count) over the finite values; all zeros where there are none."""
    values = np.asarray(array, np.float64).ravel()
    values = values[np.isfinite(values)]
    if not values.size:
        return np.zeros((bins, 3))
    counts, edges = np.histogram(values, bins)
    return np.stack([edges[:-1], edges[1:], counts], axis=-1)


def gif(frames: np.ndarray, fps: float) -> tuple[bytes, int, int]:
    """Returns an animated GIF of [T, H, W, 3] uint8 frames of about a megabyte at most, and its width and height."""
    shrink = -(-max(frames.shape[1:3]) // GIF_MAX_SIDE)
    frames = frames[:, ::shrink, ::shrink]
    every = -(-len(frames) // GIF_MAX_FRAMES)
    while True:
        content = _encode_gif(frames[::every], min(every / fps, GIF_MAX_FRAME_S))
        if len(content) <= GIF_MAX_BYTES or every >= len(frames):
            return content, frames.shape[2], frames.shape[1]
        every *= 2


def _encode_gif(frames: np.ndarray, frame_s: float) -> bytes:
    from PIL import Image

    # One palette for all, without dithering: unchanged pixels stay unchanged, which is what makes a GIF small.
    sample = np.concatenate(frames[:: max(1, len(frames) // 8)])
    palette = Image.fromarray(sample).quantize(128, dither=Image.Dither.NONE)
    first, *rest = (Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    content = io.BytesIO()
    duration_ms = max(20, round(1000 * frame_s))  # browsers slow down what is faster
    first.save(content, "GIF", save_all=True, append_images=rest, duration=duration_ms, loop=0)
    return content.getvalue()


def _cut(folder: Path, name: str, offset: int) -> None:
    """Removes what a run wrote after `offset` bytes of its event file `name`. Files of other programs stay."""
    for path in folder.glob("events.out.tfevents.*.arena"):
        if path.name > name:
            path.unlink()
        elif path.name == name and path.stat().st_size > offset:
            os.truncate(path, offset)


def _next_name(folder: Path) -> str:
    """Returns a name for an event file that sorts after all others of the folder."""
    taken = [int(path.name.split(".")[3]) for path in folder.glob("events.out.tfevents.*.arena")]
    return f"events.out.tfevents.{max([int(time.time()), *(second + 1 for second in taken)]):010d}.arena"


def _check_pixels(what: str, pixels: np.ndarray, num_dims: int) -> None:
    if pixels.ndim != num_dims or pixels.shape[-1] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        shape = "[H, W, 3]" if num_dims == 3 else "[T, H, W, 3]"
        raise InvalidValue(f"{what} must be {shape} uint8, given {list(pixels.shape)} {pixels.dtype}")


@functools.cache
def _metadata(plugin: str, data_class: int) -> summary_pb2.SummaryMetadata:
    return summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin), data_class=data_class
    )


def _shape(sizes: Sequence[int]) -> tensor_shape_pb2.TensorShapeProto:
    return tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in sizes])
