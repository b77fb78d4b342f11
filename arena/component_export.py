"""From a component to a file for a phone or a page: its network in LiteRT, compared with what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena import components, litert, quantization
from arena.components.neural import NeuralComponent
from arena.errors import ArenaError, InvalidValue, UnknownName
from arena.export import check_new
from arena.quiet import silent_stderr
from arena.seeding import check_seed, generator

PREFIX = "component:"
KINDS = tuple(kind for kind in quantization.KINDS if kind != "int8")  # there are no games whose screens could calibrate
_NUM_INPUTS = 100


@dataclass(frozen=True)
class ComponentExport:
    """What an export of a component wrote.

    Attributes:
      component: its name.
      path: the file.
      quantize: none, float16 or dynamic.
      bytes: size of the file.
      inputs: how many random ones were compared, their numbers from 0 to 1, whole ones 0 or 1.
      differences: for each output of the network, how far the file's numbers are at most from the component's.
    """

    component: str
    path: Path
    quantize: str
    bytes: int
    inputs: int
    differences: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Returns the result as a JSON object."""
        return vars(self) | {"path": str(self.path)}


def export(ref: str, out: Path, *, quantize: str = "none", seed: int = 0) -> ComponentExport:
    """Writes the network of a component to `out`, and compares their answers.

    Args:
      ref: a component's name, or the file or folder of one (see arena.components.load).
      out: a new file that ends in .tflite.
      quantize: none, float16 or dynamic.
      seed: of the inputs that are compared.

    Raises InvalidValue where the component is no network.
    """
    if quantize not in KINDS:
        raise UnknownName("quantization of a component", quantize, KINDS)
    if out.suffix != ".tflite":
        raise InvalidValue(f"--out must end in .tflite, not {str(out)!r}")
    check_new(out)
    check_seed(seed)
    component = components.load(ref)
    if not isinstance(component, NeuralComponent):
        raise InvalidValue(f"{component.name} has no network to export: it is used from Python")
    content = component.to_litert()
    if quantize != "none":
        content = quantization.quantize(content, quantize)
    content = litert.with_batch_of_one(content)
    differences = _differences(component, content, seed)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise ArenaError(f"{out} cannot be written: {error.strerror}") from error
    return ComponentExport(component.name, out, quantize, len(content), _NUM_INPUTS, differences)


def _differences(component: NeuralComponent, content: bytes, seed: int) -> dict[str, float]:
    from ai_edge_litert.interpreter import Interpreter

    model, rng = component.exported(), generator(seed, "inputs of an exported component")
    inputs = {one.name: _random(rng, one.dtype, (_NUM_INPUTS, *one.shape[1:])) for one in model.inputs}
    given = list(inputs.values())
    own = model(given if len(given) > 1 else given[0], training=False)
    with silent_stderr():
        answers = Interpreter(model_content=content).get_signature_runner()(**inputs)
    return {name: float(np.abs(answers[name] - np.asarray(own[name])).max()) for name in own}


def _random(rng: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return rng.random(shape, np.float32) if dtype == "float32" else rng.integers(2, size=shape).astype(dtype)
