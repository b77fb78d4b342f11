"""Checksums against published vectors; the framing is read back in test_monitor.py."""

from __future__ import annotations

import pytest
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow

from arena.tfrecord import CRC_BLOCK, masked_crc32c


def masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_the_checksum_is_crc32c() -> None:
    # RFC 3720, B.4: 32 zero bytes -> 8A9136AA, 32 bytes of ones -> 62A8AB43. The check value of CRC-32C is E3069283.
    assert masked_crc32c(bytes(32)) == masked(0x8A9136AA)
    assert masked_crc32c(b"\xff" * 32) == masked(0x62A8AB43)
    assert masked_crc32c(b"123456789") == masked(0xE3069283)
    assert masked_crc32c(b"") == masked(0)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, *(n * CRC_BLOCK + d for n in (1, 2) for d in (-1, 0, 1, 3, 4, 5))])
def test_the_checksum_is_tensorboards_at_every_place_in_a_block(length: int) -> None:
    data = bytes(i * i % 251 for i in range(length))
    assert masked_crc32c(data) == pywrap_tensorflow.masked_crc32c(data)
