"""Films being written: frames are streamed through MoviePy to ffmpeg, so memory stays flat however long the film is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from arena.errors import ArenaError, InvalidValue

FORMATS = ("mp4", "gif")


class Encoder:
    """A film being written, through MoviePy and ffmpeg: a temporary file beside `path` until all went well.

    A GIF needs its palette before its first frame: the frames go to a lossless file, from which ffmpeg makes
    the palette and then the GIF. (Its one-pass way would hold the whole film in memory.)

    Raises ArenaError from any of its methods where the film cannot be written.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path.absolute()
        self.num_frames = 0
        self._is_gif = path.suffix == ".gif"
        if path.suffix[1:] not in FORMATS:
            raise InvalidValue(f"a film's name ends in .mp4 or .gif, not {path.suffix or 'nothing'!r}")
        self._fps = fps
        self._part = self.path.with_name(f".{self.path.name}.part{'.mkv' if self._is_gif else '.mp4'}")
        self._palette = self._part.with_suffix(".png")
        self._gif = self._part.with_suffix(".gif")
        self._writer: Any = None

    def __enter__(self) -> Encoder:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._part.touch()
        except OSError as error:
            raise self._failure(str(error.strerror)) from error
        return self

    def write(self, rgb: np.ndarray) -> None:
        """Appends a frame, [H, W, 3] uint8; all are of the first one's size."""
        try:
            if self._writer is None:
                self._writer = self._open(rgb.shape[1], rgb.shape[0])
            self._writer.write_frame(rgb)
        except OSError as error:
            raise self._failure(str(error)) from error
        self.num_frames += 1

    def hold(self, rgb: np.ndarray, seconds: float) -> None:
        """Appends a frame that stays for so long."""
        for _ in range(round(seconds * self._fps)):
            self.write(rgb)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        except OSError as failure:
            raise self._failure(str(failure)) from failure
        finally:
            self._stop()
            for leftover in (self._part, self._palette, self._gif):
                leftover.unlink(missing_ok=True)

    def _open(self, width: int, height: int) -> Any:
        from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter

        if self._is_gif:
            codec, preset, options = "libx264rgb", "ultrafast", ["-qp", "0"]
        else:
            # Named "libx264", MoviePy would add a pixel format of its own, with transparency.
            codec, preset = "h264", "veryfast"
            options = ["-pix_fmt", "yuv420p", "-crf", "20", "-movflags", "+faststart"]
        with _deaf_to_interrupts():
            return FFMPEG_VideoWriter(
                str(self._part), (width, height), self._fps, codec=codec, preset=preset, ffmpeg_params=options
            )

    def _finish(self) -> None:
        if self._writer is None:
            raise OSError("there is not one frame")
        process = self._writer.proc
        process.stdin.close()
        message = process.stderr.read().decode(errors="replace")
        if process.wait() != 0:
            raise OSError(message or f"ffmpeg ended with code {process.returncode}")
        if self._is_gif:
            self._convert("-vf", "palettegen=stats_mode=full", "-update", "1", str(self._palette))
            graph = "[0:v][1:v]paletteuse=dither=none:diff_mode=rectangle"
            self._convert("-i", str(self._palette), "-filter_complex", graph, str(self._gif))
        os.replace(self._gif if self._is_gif else self._part, self.path)

    def _stop(self) -> None:
        if self._writer is None:
            return
        process = self._writer.proc
        process.kill()
        for pipe in (process.stdin, process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        process.wait()

    def _convert(self, *arguments: str) -> None:
        from moviepy.config import FFMPEG_BINARY

        command = [FFMPEG_BINARY, "-y", "-loglevel", "error", "-i", str(self._part), *arguments]
        with _deaf_to_interrupts():
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            raise OSError(done.stderr.decode(errors="replace") or f"ffmpeg ended with code {done.returncode}")

    def _failure(self, message: str) -> ArenaError:
        lines = [line.strip() for line in message.splitlines() if line.strip()] or ["no reason given"]
        space = [line for line in lines if "No space left" in line]
        reason = "no space left on the device" if space else lines[-1]
        return ArenaError(f"could not write the film {self.path}: {reason}")


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started here do not get Ctrl-C, which goes to all of a terminal: films are ended by us."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
