"""Smaller networks: a LiteRT file's weights, and its arithmetic if asked, in fewer bits. Free of TensorFlow.

float16   weights of 16 bits, arithmetic in float32
dynamic   weights of 8 bits per channel; activations become 8 bits as they are computed
int8      weights and activations of 8 bits, the activations' ranges taken from observations

Inputs and outputs keep their types, and the batch size stays open.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from arena.agent import Player
from arena.errors import ArenaError
from arena.loop import Event, run
from arena.policy import STATE
from arena.quiet import silent_stderr
from arena.seeding import Stream, episode_seed, generator
from envs.rows import Rows

KINDS = ("none", "float16", "dynamic", "int8")
CALIBRATION_GAMES = 4
CALIBRATION_STEPS = 20_000  # at most, over all games
NUM_OBSERVATIONS = 256


def quantize(
    content: bytes, kind: str, observations: np.ndarray | None = None, states: np.ndarray | None = None
) -> bytes:
    """Returns a LiteRT file in fewer bits.

    Args:
      content: a float32 LiteRT file of one input, or of a policy with memory; its metadata is kept.
      kind: float16, dynamic or int8.
      observations: [N, ...] inputs that it meets, for int8.
      states: [N, S] of its memory, if it has one, when it meets them.

    Raises ArenaError where the network cannot be quantized.
    """
    silence = io.StringIO()
    with silent_stderr(), contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence), _no_warnings():
        from ai_edge_quantizer.quantizer import Quantizer

        quantizer = Quantizer(bytearray(content), _recipe(kind))
        try:
            ranges = _ranges(quantizer, content, observations, states) if kind == "int8" else None
            return bytes(quantizer.quantize(ranges).quantized_model)
        except (ValueError, RuntimeError, KeyError, NotImplementedError) as error:
            raise ArenaError(f"this network cannot be quantized to {kind}: {error}") from error


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    """Hides the package's warnings, which are about how it uses LiteRT."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _recipe(kind: str) -> Any:
    from ai_edge_quantizer.qtyping import TFLOperationName
    from ai_edge_quantizer.recipe import AlgorithmName
    from ai_edge_quantizer.recipe_manager import RecipeManager

    recipe, everything = RecipeManager(), (".*", TFLOperationName.ALL_SUPPORTED)
    if kind == "float16":
        recipe.add_weight_only_config(*everything, num_bits=16, algorithm_key=AlgorithmName.FLOAT_CASTING)
    elif kind == "dynamic":
        recipe.add_dynamic_config(*everything, num_bits=8)
    else:
        recipe.add_static_config(*everything, activation_num_bits=8, weight_num_bits=8)
        for operation in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
            recipe.add_quantization_config(".*", operation, algorithm_key=AlgorithmName.NO_QUANTIZE)
    return recipe.get_quantization_recipe()


def _ranges(quantizer: Any, content: bytes, observations: np.ndarray | None, states: np.ndarray | None) -> Any:
    """Returns the range of every activation.

    All observations are one batch: over several, the package takes a moving average of the extremes, and what lies
    beyond it is clipped (the Q-values of a CNN were then off by a quarter of their range instead of a hundredth).
    """
    from ai_edge_litert.interpreter import Interpreter

    assert observations is not None and len(observations)
    interpreter = Interpreter(model_content=content)
    signature, names = next(iter(interpreter.get_signature_list().items()))
    details = interpreter.get_signature_runner(signature).get_input_details()
    name = next(name for name in names["inputs"] if states is None or name != STATE)
    batch = {name: observations.astype(details[name]["dtype"])} | ({} if states is None else {STATE: states})
    return quantizer.calibrate({signature: [batch]}, num_threads=1)


def visited_observations(
    env: Rows, player: Player, seed: int, on_event: Callable[[Event], None] | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns [N, ...] observations drawn evenly from those that `player` meets in a few games of its own.

    Beside them stand the [N, S] states of its memory when it met them; None without memory.

    Source of the drawing: Vitter (1985), "Random sampling with a reservoir", algorithm R.
    """
    rng, num_seen = generator(seed, "calibration"), 0
    kept: list[tuple[np.ndarray, np.ndarray | None]] = []
    games = run(env, player, lambda i: episode_seed(seed, Stream.CHECK, i), num_episodes=CALIBRATION_GAMES)
    for event in games:
        obs, states = event.transition.obs, event.transition.extras.get(STATE)
        for row in np.flatnonzero(event.live):
            num_seen += 1
            place = len(kept) if len(kept) < NUM_OBSERVATIONS else int(rng.integers(num_seen))
            if place < NUM_OBSERVATIONS:
                kept[place : place + 1] = [(obs[row].copy(), None if states is None else states[row].copy())]
        if on_event is not None:
            on_event(event)
        if event.step >= CALIBRATION_STEPS:
            break
    seen, remembered = zip(*kept, strict=True)
    return np.stack(seen), None if remembered[0] is None else np.stack(remembered)
