"""Threads of NumPy's linear algebra: one."""

from __future__ import annotations

import functools


@functools.cache
def use_one_blas_thread() -> None:
    """Lets NumPy's matrix products run in the calling thread, from now on in this process.

    A policy's products are too small to share. OpenBLAS's other threads go on spinning for a while after each, beside
    TensorFlow's threads: a DQN on Pong learned at three quarters of the speed. And a sum's last bits no longer depend
    on the number of cores.
    """
    import threadpoolctl

    threadpoolctl.threadpool_limits(1, user_api="blas")
