"""What goes between a player and its process: frames of a JSON header and the raw bytes of arrays. Nothing is pickled.

    header length  u32    body length  u32    header: JSON    body: arrays, each padded to a multiple of 16 bytes

The header is an object; its "arrays" lists [name, dtype, shape] of what the body holds. Whoever reads takes nothing
on trust: lengths are bounded, dtypes are those of plain numbers, and shapes must fill the body exactly.
"""

from __future__ import annotations

import json
import math
import select
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

MAX_HEADER = 1 << 20
MAX_BODY = 1 << 30
_PREFIX = struct.Struct("<II")
_ALIGN = 16
_DTYPES = frozenset(["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"])
_FIRST_READ = 1 << 16
_SLICE_S = 0.25
_STALL_S = 0.5


class Closed(Exception):
    """The other side has closed its end."""


class Late(Exception):
    """The time is over."""


class Malformed(Exception):
    """What came is no frame."""


class Frame(NamedTuple):
    """A message: an object of JSON, and arrays by name."""

    message: dict[str, Any]
    arrays: dict[str, np.ndarray]


class Deadline:
    """A point in time, by this process's monotonic clock; time in which this process itself stood still is not counted.

    A runner that was stopped, or got no core, must not take it for the other side's delay.
    """

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """True when the time is over."""
        return time.monotonic() > self._at

    def wait(self, poller: select.poll) -> None:
        """Returns when `poller` has something. Raises Late when the time is over."""
        while True:
            now = time.monotonic()
            if now > self._at:
                raise Late
            span = min(self._at - now, _SLICE_S)
            if poller.poll(math.ceil(span * 1000)):
                self._forgive(now, span)
                return
            self._forgive(now, span)

    def _forgive(self, begin: float, span: float) -> None:
        over = time.monotonic() - begin - span
        if over > _STALL_S:
            self._at += over


class Line:
    """One end of a connection. Frames are asked and answered in turn: no frame comes while another is being read."""

    def __init__(self, end: socket.socket, *, max_body: int = MAX_BODY) -> None:
        self._end = end
        self._max_body = max_body
        end.setblocking(False)
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(end, select.POLLIN)
        self._writable.register(end, select.POLLOUT)
        self._first = bytearray(_FIRST_READ)
        self._sent: tuple[Any, bytes] = (None, b"")
        self._received: tuple[bytes, dict[str, Any], list[_Place]] = (b"", {}, [])

    def send(
        self, message: Mapping[str, Any], arrays: Mapping[str, np.ndarray], deadline: Deadline | None = None
    ) -> None:
        """Sends a frame. Raises Closed or Late."""
        arrays = {
            name: array if array.flags.c_contiguous else np.ascontiguousarray(array) for name, array in arrays.items()
        }
        described = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
        form = (message, described)
        if self._sent[0] != form:
            header = json.dumps({**message, "arrays": described}).encode()
            self._sent = (form, header + b" " * (-len(header) % _ALIGN))
        header = self._sent[1]
        buffers: list[Any] = [b"", header]
        size = 0
        for array in arrays.values():
            if array.nbytes:
                buffers += [array.reshape(-1).view(np.uint8).data, bytes(-array.nbytes % _ALIGN)]
                size += array.nbytes + -array.nbytes % _ALIGN
        buffers[0] = _PREFIX.pack(len(header), size)
        self._send_all(buffers, len(header) + size + _PREFIX.size, deadline)

    def receive(self, deadline: Deadline | None = None) -> Frame:
        """Returns the next frame; its arrays are its own and may be written to. Raises Closed, Late or Malformed."""
        view = memoryview(self._first)
        have = self._read(view, deadline)
        while have < _PREFIX.size:
            have += self._read(view[have:], deadline)
        header_size, size = _PREFIX.unpack_from(view)
        if header_size > MAX_HEADER or size > self._max_body:
            raise Malformed(f"a frame of {header_size + size:,} bytes")
        total = _PREFIX.size + header_size + size
        if have > total:
            raise Malformed("more than one frame")
        content = bytearray(total - _PREFIX.size)  # of this frame alone: its arrays may be kept
        have -= _PREFIX.size
        content[:have] = view[_PREFIX.size : _PREFIX.size + have]
        while have < len(content):
            have += self._read(memoryview(content)[have:], deadline)
        if deadline is not None and deadline.is_over:
            raise Late
        message, places = self._parse(bytes(content[:header_size]), size)
        return Frame(message, {place.name: place.take(content, header_size) for place in places})

    def close(self) -> None:
        """Closes this end."""
        self._end.close()

    def _parse(self, header: bytes, size: int) -> tuple[dict[str, Any], list[_Place]]:
        if header != self._received[0]:
            try:
                message = json.loads(header)
                places = _places(message.pop("arrays"))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
                raise Malformed(f"a header that cannot be read ({type(error).__name__})") from None
            self._received = (header, message, places)
        _, message, places = self._received
        if size != (places[-1].end if places else 0):
            raise Malformed(f"a body of {size:,} bytes that its arrays do not fill")
        return message, places

    def _read(self, into: memoryview, deadline: Deadline | None) -> int:
        while True:
            try:
                count = self._end.recv_into(into)
            except BlockingIOError:
                self._wait(self._readable, deadline)
                continue
            except ConnectionError:
                raise Closed from None
            if count == 0:
                raise Closed
            return count

    def _send_all(self, buffers: list[Any], size: int, deadline: Deadline | None) -> None:
        while True:
            try:
                sent = self._end.sendmsg(buffers)
            except BlockingIOError:
                sent = 0
            except ConnectionError:
                raise Closed from None
            size -= sent
            if size == 0:
                return
            while sent >= len(buffers[0]):
                sent -= len(buffers.pop(0))
            buffers[0] = memoryview(buffers[0])[sent:]
            self._wait(self._writable, deadline)

    def _wait(self, poller: select.poll, deadline: Deadline | None) -> None:
        if deadline is None:
            poller.poll()
        else:
            deadline.wait(poller)


class _Place(NamedTuple):
    """Where an array lies in a body."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int

    def take(self, content: bytearray, offset: int) -> np.ndarray:
        return np.frombuffer(content, self.dtype, math.prod(self.shape), offset + self.begin).reshape(self.shape)


def _places(described: Any) -> list[_Place]:
    """Returns where the arrays of a header lie. Raises what its faults raise."""
    places: list[_Place] = []
    offset = 0
    for name, dtype, shape in described:
        if not isinstance(name, str) or dtype not in _DTYPES or len(shape) > 32:
            raise ValueError
        if not all(type(length) is int and 0 <= length <= MAX_BODY for length in shape):
            raise ValueError
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        end = offset + size + -size % _ALIGN
        places.append(_Place(name, kind, tuple(shape), offset, end))
        offset = end
    return places
