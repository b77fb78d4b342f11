"""One root seed gives every random stream of a run; episode i of a stream has a seed of its own.

Episode seeds are 31-bit (the Atari emulator takes no more). The two highest of these bits name the
stream, so a seed on which a policy was trained or chosen is never one on which it is reported.
"""

from __future__ import annotations

import enum
import zlib

import numpy as np

from arena.errors import InvalidValue

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_EPISODE_BITS = 29


class Stream(enum.IntEnum):
    """What an episode is played for."""

    TRAINING = 0
    SELECTION = 1  # evaluations during training, by which the best policy is chosen
    EVALUATION = 2  # everything that is reported: eval, tournament, record
    CHECK = 3  # reproducibility checks, normalisation samples


def check_seed(seed: int) -> int:
    """Returns `seed`, or raises InvalidValue when it is negative or no integer."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InvalidValue(f"a seed is a whole number of at least 0, not {seed!r}")
    return int(seed)


def episode_seed(root: int, stream: Stream, episode: int) -> int:
    """Returns the 31-bit seed of one episode: the same whichever row or worker plays it."""
    low = np.random.SeedSequence((root, int(stream), episode)).generate_state(1)[0]
    return (int(stream) << _EPISODE_BITS) | (int(low) & ((1 << _EPISODE_BITS) - 1))


def generator(root: int, name: str) -> np.random.Generator:
    """Returns the generator of a named stream, independent of all others of the same root."""
    return np.random.default_rng((root, zlib.crc32(name.encode())))


def derived_seed(root: int, name: str) -> int:
    """Returns a 31-bit seed for a library that wants a number (Keras initialisers, for one)."""
    return int(np.random.SeedSequence((root, zlib.crc32(name.encode()))).generate_state(1)[0] >> 1)


# Row-wise randomness. One generator for all rows would make a row's draws depend on its neighbours;
# here every row carries a 64-bit key, and a draw is a pure function of it.


def row_keys(seeds: np.ndarray) -> np.ndarray:
    """Returns [N] uint64 keys from [N] episode seeds; distinct seeds give distinct keys."""
    return _mix(np.asarray(seeds).astype(np.uint64) + _GAMMA)


def player_seeds(seeds: np.ndarray, player: int, seats: np.ndarray) -> np.ndarray:
    """Returns [N] 31-bit seeds from games' [N] seeds: others for every player, and for every one of its [N] seats.

    So two random players do not draw the same numbers, and a pair's two games are no copies of each other.
    """
    salted = row_keys(seeds) ^ row_keys(2 * player + seats)
    return (_mix(salted) >> np.uint64(33)).astype(np.int64)


def row_uniform(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns ([N] float64 in [0, 1), [N] the keys of the next draw).

    Source: SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators").
    """
    following = keys + _GAMMA
    return (_mix(following) >> np.uint64(11)) * 2.0**-53, following


def row_normal(keys: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns ([N, size] float64 standard normals, [N] the keys of the next draw).

    Source: Box & Muller (1958); two uniforms a number, the sine half left unused.
    """
    columns = []
    for _ in range(size):
        radius, keys = row_uniform(keys)
        angle, keys = row_uniform(keys)
        columns.append(np.sqrt(-2.0 * np.log1p(-radius)) * np.cos(2.0 * np.pi * angle))
    return np.stack(columns, axis=-1), keys


def _mix(z: np.ndarray) -> np.ndarray:
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    mixed: np.ndarray = z ^ (z >> np.uint64(31))
    return mixed
