"""How many threads do what, besides TensorFlow's own (arena/tensorflow.py)."""

from __future__ import annotations

import functools
import os
import sys

LARGE_BYTES = 1_000_000
_ONE = "1"
_is_worker = False


def num_cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def max_threads() -> int:
    """Returns ARENA_THREADS, or the number of cores that this process may use."""
    return int(os.environ.get("ARENA_THREADS") or 0) or num_cores()


def threads_for(num_bytes: int) -> int:
    """Returns the threads that a LiteRT network of so many bytes plays with; its answers do not depend on them.

    Small ones are faster in one, and so are those of workers that share the cores.
    """
    return max_threads() if num_bytes > LARGE_BYTES and not _is_worker else 1


def share_cores() -> None:
    """Tells this process that it is one of several workers."""
    global _is_worker
    _is_worker = True


def start_with_one_blas_thread() -> None:
    """Does what use_one_blas_thread() does, 45 ms sooner, in a process that has not imported NumPy yet."""
    if "numpy" not in sys.modules:
        os.environ["OPENBLAS_NUM_THREADS"] = _ONE


@functools.cache
def use_one_blas_thread() -> None:
    """Lets NumPy's matrix products run in the calling thread, from now on in this process.

    A policy's products are too small to share. OpenBLAS's other threads go on spinning for a while after each, beside
    TensorFlow's threads: a DQN on Pong learned at three quarters of the speed. And a sum's last bits no longer depend
    on the number of cores.
    """
    if os.environ.get("OPENBLAS_NUM_THREADS") == _ONE:
        return
    import threadpoolctl

    threadpoolctl.threadpool_limits(1, user_api="blas")
