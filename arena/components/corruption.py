"""What denoising autoencoders learn to undo: images from 0 to 1 made worse at random.

gaussian   a normal number is added to every pixel, its standard deviation the amount; then clipped to [0, 1]
masking    every pixel becomes 0 with the amount as its probability

Source: Vincent et al. (2010), "Stacked denoising autoencoders"; the clipping is the cookbook's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from arena.components import neural

Kind = Literal["gaussian", "masking"]


@dataclass(frozen=True)
class Corruption:
    """How images are made worse.

    Attributes:
      kind: gaussian or masking.
      amount: a standard deviation, or a probability.
    """

    kind: Kind = "gaussian"
    amount: float = 0.0

    def of(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Returns [N, D] float32, the images made worse."""
        if self.kind == "masking":
            return rows * (rng.random(rows.shape, np.float32) >= self.amount)
        noise = rng.standard_normal(rows.shape, np.float32)
        noisy: np.ndarray = np.clip(rows + np.float32(self.amount) * noise, 0.0, 1.0)
        return noisy

    def of_tensor(self, batch: Any, seed: Any) -> Any:
        """Returns the same of a tensor; the noise is that of a seed, [2] int32."""
        if not self.amount:
            return batch
        tf = neural.tensorflow()
        if self.kind == "masking":
            kept = tf.random.stateless_uniform(tf.shape(batch), seed) >= self.amount
            return batch * tf.cast(kept, tf.float32)
        noise = tf.random.stateless_normal(tf.shape(batch), seed, stddev=self.amount)
        return tf.clip_by_value(batch + noise, 0.0, 1.0)
