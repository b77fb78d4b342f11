"""The networks that learn: Keras layers for the gradient, NumPy or LiteRT for acting, LiteRT for playing.

Kinds: `mlp`; `cnn-2013` (16-32-256: Mnih et al. 2013, "Playing Atari with deep reinforcement
learning"); `cnn-2015` (32-64-64-512: Mnih et al. 2015, "Human-level control through deep
reinforcement learning"). And with memory `lstm` and `gru`: one of those, followed by a recurrent cell.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from agents.parts.cells import CELLS, NUMPY_CELLS, new_cell
from agents.parts.layers import CNNS, Initializers, image_scaler, input_of, is_image, normalizer
from agents.parts.litert import LiteRTTemplate
from agents.parts.numpy_networks import Convolution, Dense, NumpyNetwork
from agents.parts.tensorflow import load
from agents.parts.variables import read_variables, reader
from arena.errors import DoesNotFit, UnknownName
from arena.policy import NEXT_STATE, LiteRTFunction


class Network:
    """A network from [N, ...] observations to named heads of [N, units] each.

    One with memory takes and returns a state too, [N, S] float32, which is zero where an episode begins: step() acts,
    unroll() learns from sequences.

    Args:
      space: of one observation: a Box (vector, or uint8 image of [C, H, W]) or Discrete (one-hot).
      heads: units by name.
      kind: "mlp", "cnn-2013", "cnn-2015", or "auto": cnn-2015 for images, else mlp; "lstm" and "gru" are "auto" with
        such a cell between each trunk and its heads.
      hidden: widths of the hidden layers of an mlp.
      activation: "relu" or "tanh", of the hidden layers.
      shared: one trunk under all heads; False gives each head a trunk of its own (mlp only).
      initializer: Keras name of the kernels' initialiser ("glorot_uniform" is Xavier's), "orthogonal", or "fan_in":
        kernels and biases uniform within 1/sqrt(inputs), as Torch has it and with it the code of Mnih et al. (2015).
      head_gains: with "orthogonal", the gain of a head's kernel (default 1); hidden layers have sqrt(2).
      normalize: standardise vector observations by running statistics (see update_statistics).
      acts_in_litert: let a CNN act in LiteRT: half the time, but refresh() takes milliseconds; for agents that act
        many times between updates.
      memory_size: units of the cell.
      memory_span: for how many steps, at most, its units begin by remembering; 0 for the usual few.
      seed: of the initial weights.

    Attributes:
      kind: what sees the observations: "mlp", "cnn-2013" or "cnn-2015".
      memory: "lstm", "gru", or "" for none.
      state_size: S, the length of a row's state; 0 without memory.

    Raises:
      DoesNotFit: the space is neither of these, or a CNN is asked for where there is no image.
    """

    def __init__(
        self,
        space: gym.Space[Any],
        heads: Mapping[str, int],
        *,
        kind: str = "auto",
        hidden: Sequence[int] = (64, 64),
        activation: str = "relu",
        shared: bool = True,
        initializer: str = "glorot_uniform",
        head_gains: Mapping[str, float] | None = None,
        normalize: bool = False,
        acts_in_litert: bool = False,
        memory_size: int = 64,
        memory_span: int = 0,
        seed: int = 0,
    ) -> None:
        load()
        import keras

        self.memory = kind if kind in CELLS else ""
        if kind == "auto" or self.memory:
            kind = "cnn-2015" if is_image(space) else "mlp"
        if kind not in ("mlp", *CNNS):
            raise UnknownName("network", kind, ["auto", "mlp", *CNNS, *CELLS])
        if activation not in ("relu", "tanh"):
            raise UnknownName("activation", activation, ["relu", "tanh"])
        if kind != "mlp" and not is_image(space):
            raise DoesNotFit(f"network {kind} takes images of [C, H, W] uint8; observations here are {space}")
        self.kind, self.space, self.heads = kind, space, dict(heads)
        self._initializers, self._head_gains = Initializers(initializer, seed), head_gains or {}
        shape, dtype, self._num_discrete = input_of(space)
        obs = keras.Input(shape, dtype=dtype, name="obs")
        self._normalizer = normalizer(shape) if normalize and kind == "mlp" and not self._num_discrete else None
        x = self._encoded(obs)
        self._convolutions: list[Any] = []
        self._trunks: dict[str, list[Any]] = {}
        self._trunk_of = {head: "" if shared or kind != "mlp" else head for head in self.heads}
        self._cells: dict[str, Any] = {}
        self._memory_size, self._memory_span = memory_size, memory_span
        self._cell_size = memory_size * CELLS.get(self.memory, 0)
        self._heads: dict[str, Any] = {}
        outputs, features, seen, before, after = {}, {}, {}, [], []
        for head, units in self.heads.items():
            trunk = self._trunk_of[head]
            if trunk not in self._trunks:
                seen[trunk] = features[trunk] = self._add_trunk(trunk, x, hidden, activation)
                if self.memory:
                    before.append(keras.Input((self._cell_size,), name=f"state_{len(before)}"))
                    after.append(self._add_cell(trunk, features[trunk], before[-1]))
                    seen[trunk] = after[-1][:, :memory_size]
            x_head, gain = seen[trunk], self._head_gains.get(head, 1.0)
            self._heads[head] = self._dense(head, x_head.shape[-1], int(units), "linear", gain)
            outputs[head] = self._heads[head](x_head)
        self.state_size = self._cell_size * len(self._cells)
        self.model = keras.Model([obs, *before], [outputs, after]) if self.memory else keras.Model(obs, outputs)
        self._features = keras.Model(obs, features) if self.memory else None
        self.read = reader(self.model.weights)  # returns all weights, in order
        self._paths = [variable.path for variable in self.model.weights]
        self._acts_in_litert = acts_in_litert
        self._templates: dict[tuple[str, ...], LiteRTTemplate] = {}
        self._answer: Callable[[np.ndarray], Mapping[str, np.ndarray]]
        self.refresh()

    # Learning.

    def __call__(self, obs: Any) -> dict[str, Any]:
        """Returns heads as tensors that gradients flow through, of a network without memory."""
        return self.model(obs)  # type: ignore[no-any-return]

    def unroll(self, obs: Any, state: Any, begins: Any) -> tuple[dict[str, Any], Any]:
        """Returns heads [T, N, units] of sequences and the states [T, N, S] after their steps; of one with memory.

        Args:
          obs: [T, N, ...].
          state: [N, S] before the first step.
          begins: [T, N] bool, the steps that are the first of their episodes: the state before them is zero. So a
            sequence with such a step inside it is worth the same as two sequences.
        """
        tf = load()
        length, rows = obs.shape[:2]
        features = self._features(tf.reshape(obs, [length * rows, *obs.shape[2:]]))
        seen, states = {}, []
        for (trunk, cell), part in zip(self._cells.items(), tf.split(state, len(self._cells), -1), strict=True):
            x = tf.reshape(features[trunk], [length, rows, features[trunk].shape[-1]])
            states.append(cell.unroll(x, part, begins))
            seen[trunk] = states[-1][..., : self._memory_size]
        heads = {name: head(seen[self._trunk_of[name]]) for name, head in self._heads.items()}
        return heads, tf.concat(states, -1)

    @property
    def trainable_variables(self) -> list[Any]:
        """The Keras variables that an optimizer changes."""
        return list(self.model.trainable_variables)

    def copy_from(self, other: Network) -> None:
        """Takes over the weights of a network of the same shape."""
        self.set_weights(other.read())

    def update_statistics(self, obs: np.ndarray) -> None:
        """Folds [B, ...] observations into the running mean and variance (Chan et al. 1979), if there are any."""
        if self._normalizer is None:
            return
        mean, variance, count = reader(self._normalizer.weights)()
        batch = obs.astype(np.float64)
        delta, total = batch.mean(0) - mean, count + len(batch)
        merged = variance * count + batch.var(0) * len(batch) + delta**2 * count * len(batch) / total
        for variable, value in zip(
            self._normalizer.weights, (mean + delta * len(batch) / total, merged / total, total), strict=True
        ):
            variable.assign(value)
        self.refresh()

    # Acting.

    def refresh(self, weights: Sequence[np.ndarray] | None = None) -> None:
        """Copies the weights to where act() reads them; call it after every update.

        Args:
          weights: all of them, in order, where they are at hand: reading a variable costs as much as a small layer.
        """
        if self._acts_in_litert and self.kind != "mlp":
            self._answer = LiteRTFunction(self.to_litert(list(self.heads)))
        else:
            self._answer = self._in_numpy(self.read() if weights is None else weights)

    def act(self, obs: np.ndarray) -> Mapping[str, np.ndarray]:
        """Returns heads as arrays, from NumPy or from LiteRT; of a network without memory."""
        return self._answer(obs)

    def initial_state(self, num_rows: int) -> Any:
        """Returns the state in which episodes begin: [N, S] zeros, or () without memory."""
        return np.zeros((num_rows, self.state_size), np.float32) if self.memory else ()

    def step(self, obs: np.ndarray, state: Any) -> tuple[Mapping[str, np.ndarray], Any]:
        """Returns heads as arrays and the state after this step, for [N, ...] observations and the state before it."""
        if not self.memory:
            return self._answer(obs), state
        if isinstance(self._answer, NumpyNetwork):
            return self._answer.step(obs, state)
        heads = dict(self._answer(obs, state))
        return heads, heads.pop(NEXT_STATE)

    def _in_numpy(self, weights: Sequence[np.ndarray]) -> NumpyNetwork:
        values = dict(zip(self._paths, weights, strict=True))

        def dense(layer: Any) -> Dense:
            return Dense(values[layer.kernel.path], values[layer.bias.path], layer.activation.__name__)

        convolutions = [
            Convolution(values[layer.kernel.path], values[layer.bias.path], layer.strides[0])
            for layer in self._convolutions
        ]
        if convolutions:  # the division of pixels by 255, done once for all
            first = convolutions[0]
            convolutions[0] = first._replace(kernel=first.kernel / np.float32(255.0))
        cells = {
            name: NUMPY_CELLS[self.memory](*(values[variable.path] for variable in layer.weights))
            for name, layer in self._cells.items()
        }
        trunks = {name: [dense(layer) for layer in layers] for name, layers in self._trunks.items()}
        heads = {name: dense(layer) for name, layer in self._heads.items()}
        mean = scale = None
        if self._normalizer is not None:
            mean = values[self._normalizer.mean.path]
            scale = 1.0 / np.sqrt(values[self._normalizer.variance.path] + 1e-8)
        return NumpyNetwork(convolutions, trunks, heads, self._num_discrete, mean, scale, cells)

    # Saving.

    def weights(self) -> dict[str, np.ndarray]:
        """Returns all weights by path, non-trainable ones included."""
        weights = self.model.weights
        return {f"{i:02d}/{w.path}": a for i, (w, a) in enumerate(zip(weights, self.read(), strict=True))}

    def set_weights(self, arrays: Sequence[np.ndarray]) -> None:
        """Sets all weights, in order. Raises DoesNotFit where number or shapes differ."""
        wanted = [tuple(w.shape) for w in self.model.weights]
        if wanted != [a.shape for a in arrays]:
            raise DoesNotFit(f"weights of shapes {[a.shape for a in arrays]} do not fit a network of {wanted}")
        for variable, array in zip(self.model.weights, arrays, strict=True):
            variable.assign(array)
        self.refresh()

    def load(self, path: Path) -> None:
        """Takes over the weights that save_variables wrote. Raises DamagedFile or DoesNotFit."""
        self.set_weights(read_variables(path))

    def to_litert(self, heads: Sequence[str], extra: Mapping[str, np.ndarray] | None = None) -> bytes:
        """Returns a LiteRT file that computes `heads`, with `extra` constants as further outputs.

        With memory it takes the state of what these heads need, and returns the next one beside them.
        """
        extra = extra or {}
        names = (*heads, *extra)
        arrays = [*self.read(), *extra.values()]
        if names not in self._templates:
            convert = functools.partial(self._convert, heads, tuple(extra))
            self._templates[names] = LiteRTTemplate(convert, [array.shape for array in arrays])
        return self._templates[names].file(arrays)

    def _convert(self, heads: Sequence[str], extra: Sequence[str], arrays: Sequence[np.ndarray]) -> bytes:
        from arena.conversion import to_litert

        tf = load()
        by_path = {w.path: tf.constant(array) for w, array in zip(self.model.weights, arrays, strict=False)}
        trainable = [by_path[v.path] for v in self.model.trainable_variables]
        fixed = [by_path[v.path] for v in self.model.non_trainable_variables]

        trunks = list(dict.fromkeys(self._trunk_of[head] for head in heads))

        def forward(obs: Any) -> dict[str, Any]:
            outputs, _ = self.model.stateless_call(trainable, fixed, obs)
            return {head: outputs[head] for head in heads} | constants()

        def step(obs: Any, state: Any) -> dict[str, Any]:
            parts = dict(zip(trunks, tf.split(state, len(trunks), -1) if len(trunks) > 1 else [state], strict=True))
            unused = tf.zeros((1, self._cell_size))
            before = [parts.get(trunk, unused) for trunk in self._cells]
            (outputs, after), _ = self.model.stateless_call(trainable, fixed, [obs, *before])
            kept = [part for trunk, part in zip(self._cells, after, strict=True) if trunk in trunks]
            return {head: outputs[head] for head in heads} | constants() | {NEXT_STATE: tf.concat(kept, -1)}

        def constants() -> dict[str, Any]:
            values = zip(extra, arrays[len(self.model.weights) :], strict=True)
            return {name: tf.constant(value) for name, value in values}

        shape, dtype, _ = input_of(self.space)
        if self.memory:
            return to_litert(step, shape, dtype, state_size=self._cell_size * len(trunks))
        return to_litert(forward, shape, dtype)

    # Building.

    def _encoded(self, obs: Any) -> Any:
        import keras

        if self._num_discrete:
            return keras.ops.one_hot(obs, self._num_discrete)
        if is_image(self.space) and self.kind != "mlp":
            return image_scaler()(obs)
        x = keras.layers.Flatten()(obs) if len(obs.shape) > 2 else obs
        if is_image(self.space):
            x = keras.ops.cast(x, "float32") / 255.0
        return self._normalizer(x) if self._normalizer is not None else x

    def _add_trunk(self, name: str, x: Any, hidden: Sequence[int], activation: str) -> Any:
        import keras

        self._trunks[name] = []
        widths = list(hidden)
        if self.kind in CNNS:
            convolutions, width = CNNS[self.kind]
            for filters, size, stride in convolutions:
                initializers = self._initializers(size * size * x.shape[-1], np.sqrt(2.0))
                name_of_layer = f"convolution_{len(self._convolutions)}"
                layer = keras.layers.Conv2D(
                    filters, size, stride, activation="relu", name=name_of_layer, **initializers
                )
                self._convolutions.append(layer)
                x = layer(x)
            x, widths, activation = keras.layers.Flatten()(x), [width], "relu"
        for width in widths:
            name_of_layer = _joined(name, f"hidden_{len(self._trunks[name])}")
            layer = self._dense(name_of_layer, x.shape[-1], int(width), activation, np.sqrt(2.0))
            self._trunks[name].append(layer)
            x = layer(x)
        return x

    def _add_cell(self, trunk: str, x: Any, state: Any) -> Any:
        """Returns the state after a cell."""
        start = self._initializers(x.shape[-1], 1.0)["kernel_initializer"]
        seed = self._initializers.next_seed()
        name = _joined(trunk, self.memory)
        self._cells[trunk] = new_cell(self.memory, self._memory_size, start, seed, self._memory_span, name)
        return self._cells[trunk](x, state)

    def _dense(self, name: str, inputs: int, units: int, activation: str, gain: float) -> Any:
        import keras

        return keras.layers.Dense(units, activation=activation, name=name, **self._initializers(inputs, gain))


def _joined(trunk: str, layer: str) -> str:
    """Returns a layer's name: Keras would number layers through a process, and no two runs would call theirs alike."""
    return f"{trunk}_{layer}" if trunk else layer
