"""Any LiteRT file as a player. Native code reads it, so it plays in a process of its own only.

What goes in is the observation, one row at a time: with a batch of one or without, an image's channels first or last.
The types must agree; float64 becomes float32, whole numbers may be narrowed, and where the file's input is quantized
from floats the observation is quantized as the file says. What comes out must be told from its shape:

Discrete(A) actions   the one output of A numbers: action values or logits, of which the largest is chosen; or the
                      only output, where it is one whole number: the action itself.
Box actions           the one output of as many numbers as an action has, in the environment's units, clipped to its
                      bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pydantic

from arena.adapters.layout import axes_between, transposed
from arena.agent import Decision, Player, Spec
from arena.errors import DoesNotFit
from arena.quiet import silent_stderr

REMEDY = "write a Player that runs it (docs/adapters.md shows one)"


def player_class(path: Path) -> type[Player]:
    """Returns the class whose players ask the LiteRT file at `path`."""
    return type(path.stem, (LiteRTPlayer,), {"path": path})


class LiteRTPlayer(Player):
    """Chooses what a LiteRT file says, row after row. Raises DoesNotFit where its shapes leave open what that is."""

    path: ClassVar[Path]

    def __init__(
        self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | pydantic.BaseModel | None = None
    ) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        from ai_edge_litert.interpreter import Interpreter

        with silent_stderr():
            self._interpreter = Interpreter(model_content=self.path.read_bytes(), num_threads=1)
        self._input = self._fit_input()
        self._interpreter.allocate_tensors()
        self._output = self._fit_output()

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        return Decision(np.stack([self._one(row) for row in obs]), state)

    def _one(self, obs: np.ndarray) -> np.ndarray:
        index, shape, axes, dtype, (scale, zero) = self._input
        given: np.ndarray = transposed(np.asarray(obs), axes).reshape(shape)
        if scale and given.dtype.kind == "f":
            bounds = np.iinfo(dtype)
            given = np.clip(np.round(given / scale) + zero, bounds.min, bounds.max)
        self._interpreter.set_tensor(index, np.ascontiguousarray(given, dtype))
        self._interpreter.invoke()
        answer: np.ndarray = self._interpreter.get_tensor(self._output["index"])
        space = self.spec.action_space
        if not isinstance(space, gym.spaces.Box):
            return np.asarray(answer.argmax() if _is_real(self._output) else answer.item(), np.int64)
        scale, zero = self._output["quantization"]
        action = ((answer - zero) * scale if scale else answer).reshape(space.shape)
        clipped: np.ndarray = np.clip(action, space.low, space.high).astype(space.dtype)
        return clipped

    def _fit_input(self) -> tuple[int, tuple[int, ...], tuple[int, ...], Any, tuple[float, int]]:
        """Returns (index, shape, order of axes, type, quantization) of what takes the observation; sets its shape."""
        inputs = self._interpreter.get_input_details()
        space = self.spec.observation_space
        if len(inputs) != 1 or not isinstance(space, gym.spaces.Box | gym.spaces.Discrete):
            raise self._misfit(f"it takes {_shapes(inputs)}, the observations are {space}")
        tensor, ours = inputs[0], tuple(space.shape or ())
        theirs = tuple(int(size) for size in tensor["shape_signature"])
        batch = theirs[:1] if len(theirs) == len(ours) + 1 and theirs[0] in (1, -1) else ()
        axes = axes_between(ours, theirs[len(batch) :])
        if axes is None:
            raise self._misfit(f"it takes {_shapes(inputs)}, an observation is {ours} {space.dtype}")
        if not _takes(tensor, np.dtype(space.dtype)):
            raise self._misfit(
                f"it takes {_shapes(inputs)}, observations are {space.dtype}: how to turn them into one "
                "another is not in the file"
            )
        shape = (*[1 for _ in batch], *(ours[axis] for axis in axes))
        if list(shape) != tensor["shape"].tolist():
            self._interpreter.resize_tensor_input(tensor["index"], shape)
        return tensor["index"], shape, axes, tensor["dtype"], tensor["quantization"]

    def _fit_output(self) -> dict[str, Any]:
        outputs = self._interpreter.get_output_details()
        space = self.spec.action_space
        is_box = isinstance(space, gym.spaces.Box)
        size = int(np.prod(space.shape or ())) if is_box else self.spec.num_actions
        fitting = [tensor for tensor in outputs if _is_real(tensor) and np.prod(tensor["shape"]) == size]
        if not is_box and len(outputs) == 1 and not _is_real(outputs[0]) and np.prod(outputs[0]["shape"]) == 1:
            fitting = outputs
        if len(fitting) != 1:
            count = "more than one" if fitting else "none"
            raise self._misfit(f"it gives {_shapes(outputs)}, of which {count} can be the {size} numbers of {space}")
        return dict(fitting[0])

    def _misfit(self, why: str) -> DoesNotFit:
        return DoesNotFit(f"{self.path.name} does not fit {self.spec.env_id}: {why}; {REMEDY}")


def _takes(tensor: Mapping[str, Any], ours: np.dtype[Any]) -> bool:
    """True where an input takes observations of a type without anyone's guess."""
    theirs = np.dtype(tensor["dtype"])
    if theirs == ours or (theirs.kind == ours.kind and theirs.kind in "fi"):
        return True
    return bool(ours.kind == "f" and theirs.kind in "iu" and tensor["quantization"][0])


def _is_real(tensor: Mapping[str, Any]) -> bool:
    return np.dtype(tensor["dtype"]).kind == "f" or bool(tensor["quantization"][0])


def _shapes(tensors: list[dict[str, Any]]) -> str:
    shapes = [tuple(int(size) for size in tensor["shape_signature"]) for tensor in tensors]
    types = [np.dtype(tensor["dtype"]).name for tensor in tensors]
    return " and ".join(f"{shape} {name}" for shape, name in zip(shapes, types, strict=True)) or "nothing"
