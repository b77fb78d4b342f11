"""Frames: they carry arrays as they are, and whoever reads them takes nothing on trust."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from arena.isolation.wire import Closed, Deadline, Late, Line, Malformed


@pytest.fixture
def ends() -> Iterator[tuple[Line, socket.socket]]:
    """A line, and the socket at its other end."""
    near, far = socket.socketpair()
    with near, far:
        yield Line(near, max_body=1 << 22), far


def frame(header: Any, body: bytes = b"") -> bytes:
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<II", len(content), len(body)) + content + body


@pytest.mark.parametrize(
    "array",
    [
        np.array([True, False]),
        np.arange(6, dtype=np.int64).reshape(2, 3)[:, ::2],
        np.array(2.5, np.float16),
        np.zeros((1, 0, 4), np.float32),
        np.arange(1 << 20, dtype=np.uint8).reshape(1, 1024, 1024),
    ],
)
def test_arrays_arrive_as_they_were_and_may_be_written_to(array: np.ndarray, ends: tuple[Line, socket.socket]):
    line, far = ends
    other = Line(far)
    sender = threading.Thread(target=line.send, args=({"ask": 1}, {"first": array, "second": np.arange(3)}))
    sender.start()
    message, arrays = other.receive()
    sender.join()
    assert message == {"ask": 1}
    assert arrays["first"].dtype == array.dtype and arrays["first"].shape == array.shape
    assert (arrays["first"] == array).all() and arrays["second"].tolist() == [0, 1, 2]
    arrays["second"][0] = 5


def test_frames_of_one_form_hold_their_own_values(ends: tuple[Line, socket.socket]):
    line, far = ends
    other = Line(far)
    received = []
    for value in (1.0, 2.0):
        line.send({}, {"x": np.full(2, value)})
        received.append(other.receive().arrays["x"])
    assert [array.tolist() for array in received] == [[1, 1], [2, 2]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (frame(b"no json"), "cannot be read"),
        (frame(b"\xff\xfe"), "cannot be read"),
        (frame([]), "cannot be read"),
        (frame({}), "cannot be read"),
        (frame(b"[" * 100_000), "cannot be read"),
        (frame({"arrays": [["x", "|O", [1]]]}, bytes(16)), "cannot be read"),
        (frame({"arrays": [["x", "<M8[s]", [1]]]}, bytes(16)), "cannot be read"),
        (frame({"arrays": [["x", "<f8", [-1]]]}), "cannot be read"),
        (frame({"arrays": [["x", "<f8", [True]]]}, bytes(16)), "cannot be read"),
        (frame({"arrays": [["x", "<f8", [1 << 40, 1 << 40]]]}), "cannot be read"),
        (frame({"arrays": [["x", "<f8", [1] * 40]]}, bytes(16)), "cannot be read"),
        (frame({"arrays": [["x", ["<f8"], [1]]]}, bytes(16)), "cannot be read"),
        (frame({"arrays": [["x", "<f8", [3]]]}, bytes(16)), "do not fill"),
        (frame({"arrays": []}, bytes(16)), "do not fill"),
        (frame({"arrays": []}) + b"x", "more than one frame"),
        (struct.pack("<II", 10, 1 << 31), "a frame of 2,147,483,658 bytes"),
        (struct.pack("<II", 1 << 30, 0), "a frame of 1,073,741,824 bytes"),
    ],
)
def test_what_is_no_frame_is_refused(content: bytes, reason: str, ends: tuple[Line, socket.socket]):
    line, far = ends
    far.sendall(content)
    with pytest.raises(Malformed, match=reason):
        line.receive(Deadline(10))


def test_a_frame_that_does_not_come_whole_is_late(ends: tuple[Line, socket.socket]):
    line, far = ends
    far.sendall(frame({"arrays": []})[:-1])
    with pytest.raises(Late):
        line.receive(Deadline(0.05))


def test_a_frame_that_nobody_takes_is_late(ends: tuple[Line, socket.socket]):
    line, _ = ends
    with pytest.raises(Late):
        line.send({}, {"x": np.zeros(1 << 22, np.uint8)}, Deadline(0.05))


def test_a_closed_line_says_so(ends: tuple[Line, socket.socket]):
    line, far = ends
    far.close()
    with pytest.raises(Closed):
        line.receive(Deadline(10))
    with pytest.raises(Closed):
        line.send({}, {})


def test_time_in_which_this_process_stood_still_is_not_counted(monkeypatch: pytest.MonkeyPatch):
    clock = iter([0.0, 0.5, 7.5, 7.5, 8.2])  # begin, before a wait of 0.25 s, after it, asked, asked
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    deadline = Deadline(1.0)

    class Ready:
        def poll(self, _: int) -> list[int]:
            return [1]

    deadline.wait(Ready())  # type: ignore[arg-type]
    assert not deadline.is_over  # at 7.5: the end moved from 1 by 7.5 - 0.5 - 0.25 = 6.75 to 7.75
    assert deadline.is_over  # at 8.2
