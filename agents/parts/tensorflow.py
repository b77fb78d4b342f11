"""TensorFlow, as the arena sets it up."""

from arena.tensorflow import load

__all__ = ["load"]
