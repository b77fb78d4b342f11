"""What stands between an environment and an agent that sees codes: a frozen component, or a discretiser.

`encoder` is a component by name or file (see arena.components): a pretrained network or projection, applied to vectors
as they are and to stacked frames one by one. `discretiser` is kmeans or som, with a number of units if wished
(kmeans:300), fitted to what a random player sees; or such a component's file. Either becomes a function of NumPy or
LiteRT that goes into the agent's policy files.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from arena import functions, policy, registry, seeding
from arena.agent import Spec
from arena.components.base import Component
from arena.config import RunConfig
from arena.errors import DamagedFile, DoesNotFit, InvalidValue
from arena.loop import run
from arena.seeding import Stream, episode_seed
from envs.rows import Rows

FILE = "encoder.npz"
DISCRETISERS = ("kmeans", "som")
NUM_UNITS = 400
NUM_OBSERVATIONS = 20_000  # that a discretiser is fitted to


class Encoder(NamedTuple):
    """From observations to codes.

    Attributes:
      name: as it was asked for.
      function: [N, ...] observations to {"codes": ...}; the same for a row whatever the others are.
      space: of a code.
    """

    name: str
    function: Callable[[np.ndarray], functions.Outputs]
    space: gym.Space[Any]

    def save(self, folder: Path) -> None:
        """Writes it into a run folder."""
        kind, arrays = policy.pack(self.function)
        header = {"name": self.name, "function": kind, "space": policy.describe_space(self.space)}
        np.savez(folder / FILE, header=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type]


def load(folder: Path) -> Encoder:
    """Returns the encoder of a run folder. Raises DamagedFile."""
    try:
        with np.load(folder / FILE, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        header = json.loads(str(arrays.pop("header")))
        return Encoder(header["name"], policy.unpack(header["function"], arrays), _space(header["space"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"{folder / FILE} is missing or damaged; begin the run again") from error


def make(config: RunConfig, env: Rows) -> Encoder:
    """Returns the encoder or discretiser that a configuration asks for.

    Raises InvalidValue where it asks for both, UnknownName, or DoesNotFit.
    """
    if config.encoder and config.discretiser:
        raise InvalidValue("encoder and discretiser exclude each other; give --set one of them")
    if config.encoder:
        return _of(_loaded(config.encoder), config.encoder, env.spec)
    assert config.discretiser
    name, _, units = config.discretiser.partition(":")
    if name not in DISCRETISERS:
        component = _loaded(config.discretiser)
        if component.name not in DISCRETISERS:
            raise DoesNotFit(f"{config.discretiser} is a {component.name}; a discretiser is a kmeans or a som")
        return _of(component, config.discretiser, env.spec)
    return _fitted(name, _number(units, config.discretiser), config, env)


def _number(text: str, given: str) -> int:
    if text and not (text.isdecimal() and int(text) > 1):
        raise InvalidValue(f"discretiser takes kmeans or som, or kmeans:300 for so many units, not {given!r}")
    return int(text) if text else NUM_UNITS


def _loaded(name: str) -> Component:
    from arena import components

    return components.load(name)


def _fitted(name: str, units: int, config: RunConfig, env: Rows) -> Encoder:
    """Fits a discretiser to what a random player sees."""
    from arena import components

    space = env.spec.observation_space
    if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
        raise DoesNotFit(f"a discretiser takes vectors; {env.spec.env_id} has {space}")
    seen = _seen_at_random(env, config.seed)
    mean, scale = seen.mean(0), np.maximum(seen.std(0), 1e-6)
    seed = seeding.derived_seed(config.seed, "discretiser")
    side = max(2, round(units**0.5))
    settings = {"num_clusters": units, "restarts": 1} if name == "kmeans" else {"height": side, "width": side}
    component: Any = components.create(name, seed=seed, **settings).fit((seen - mean) / scale)
    centres = component.centres_ if name == "kmeans" else component.units_
    function = functions.Nearest(centres.astype(np.float32), mean.astype(np.float32), scale.astype(np.float32))
    return Encoder(config.discretiser or name, function, gym.spaces.Discrete(len(centres)))


def _seen_at_random(env: Rows, root: int) -> np.ndarray:
    """Returns [NUM_OBSERVATIONS, D] observations of a random player."""
    player = registry.resolve("random").player(env.spec, seed=seeding.derived_seed(root, "wanderer"))
    seen: list[np.ndarray] = []
    for event in run(env, player, lambda i: episode_seed(root, Stream.CHECK, i)):
        seen.append(np.array(event.transition.obs))
        if len(seen) * env.num_rows >= NUM_OBSERVATIONS:
            break
    return np.concatenate(seen)[:NUM_OBSERVATIONS].astype(np.float64)


def _of(component: Component, name: str, spec: Spec) -> Encoder:
    """Returns a fitted component as an encoder of the observations of `spec`."""
    space, arrays = spec.observation_space, component.arrays()
    shape = tuple(space.shape or ())
    is_stack = len(shape) == 3 and component.shape_ == shape[1:]
    if not isinstance(space, gym.spaces.Box) or not (is_stack or component.shape_ == shape):
        wanted = list(component.shape_)
        raise DoesNotFit(f"{name} takes inputs of shape {wanted}; {spec.env_id} has observations {space}")
    if component.name in DISCRETISERS:
        centres = next(iter(arrays.values()))
        zero, one = np.zeros(centres.shape[1], np.float32), np.ones(centres.shape[1], np.float32)
        return Encoder(name, functions.Nearest(centres, zero, one), gym.spaces.Discrete(len(centres)))
    if component.name == "pca":
        function: Any = functions.Projection(arrays["mean"], arrays["components"])
    else:
        function = policy.LiteRTFunction(_network(component, name, shape, space.dtype))
    codes = function(np.zeros((1, *shape), space.dtype))["codes"]
    return Encoder(name, function, gym.spaces.Box(-np.inf, np.inf, codes.shape[1:], np.float32))


def _network(component: Component, name: str, shape: tuple[int, ...], dtype: Any) -> bytes:
    """Returns the LiteRT network from observations to codes; frames of a stack are encoded one by one."""
    from arena.components.neural import NeuralComponent, tensorflow
    from arena.conversion import keras_to_litert

    if not isinstance(component, NeuralComponent):
        raise DoesNotFit(f"{name} makes no codes of observations; take a kmeans, a som, a pca or an autoencoder")
    tensorflow()
    import keras

    model = component.model()
    if "codes" not in getattr(model, "output_names", ()) and "codes" not in dict(_outputs(model)):
        raise DoesNotFit(f"{name} has a network without codes; take an autoencoder")
    encode = keras.Model(model.inputs[0], dict(_outputs(model))["codes"])
    inputs = keras.Input(shape, dtype=str(dtype), name="inputs")
    x = keras.ops.cast(inputs, "float32")
    x = x / 255.0 if dtype == np.uint8 else x
    codes = encode(keras.ops.reshape(x, (-1, *encode.input_shape[1:])))
    if len(shape) == 3:
        codes = keras.ops.reshape(codes, (-1, shape[0] * encode.output_shape[-1]))
    return keras_to_litert(keras.Model(inputs, {"codes": codes}))


def _outputs(model: Any) -> Any:
    return model.output.items() if isinstance(model.output, dict) else ()


def _space(described: Any) -> gym.Space[Any]:
    if described["kind"] == "discrete":
        return gym.spaces.Discrete(int(described["n"]))
    return gym.spaces.Box(-np.inf, np.inf, tuple(described["shape"]), np.float32)
