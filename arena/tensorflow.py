"""TensorFlow, set up in one place: imported when something learns and never before."""

from __future__ import annotations

import functools
import os
from typing import Any

from arena.quiet import silent_stderr
from arena.threads import use_one_blas_thread

# oneDNN doubles the speed of the convolutional networks on x86 and is off by default on some of them.
_ENVIRONMENT = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}


@functools.cache
def load() -> Any:
    """Returns the module tensorflow: oneDNN on, GPU memory growing as needed, start-up chatter silenced.

    `ARENA_THREADS` caps the threads within one operation (several workers that share the cores).
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    use_one_blas_thread()
    with silent_stderr():
        import tensorflow as tf

        if threads := int(os.environ.get("ARENA_THREADS", "0")):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.zeros(())  # opens the devices, which is when the rest of the chatter comes
    return tf
