"""Frozen policies: what a trained agent leaves behind and what plays. Free of TensorFlow.

A policy is one file: a LiteRT network (`.tflite`) whose metadata holds the card, or arrays of a
NumPy function (`.npz`, no objects) beside the card as JSON. The card says what the policy needs to
know of itself: spaces, preprocessing, mode of play, hyperparameters, step, scores. It also holds the
SHA-256 of the file, so that nothing which was damaged or edited reaches the parser or native code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pydantic

from arena import functions, litert, seeding
from arena.agent import Decision, Mode, Player, Spec
from arena.errors import ArenaError, DamagedFile, DoesNotFit
from arena.quiet import silent_stderr
from arena.threads import threads_for

CARD_KEY = "arena.card"
STATE, NEXT_STATE = "state", "next_state"  # what a network with memory takes, and gives
FORMAT = 1
_BLANK = "0" * 64
_LITERT = "litert"  # a network within an .npz file
_SEAL = re.compile(rb'\{"sha256": "([0-9a-f]{64})", "format": ')


class Card(pydantic.BaseModel):
    """What a policy file says of itself.

    `sha256` is that of the file with 64 zeros in this place; saving computes it. `export` says what
    `arena export` did: quantization, the hash of the file it began with, calibration. `training` says
    how a pretrained policy came about: preset, seed, steps, wall time, machine.
    """

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)

    sha256: str = _BLANK
    format: int = FORMAT
    agent: str
    env: str
    preprocess: str
    observation_space: dict[str, Any]
    action_space: dict[str, Any]
    mode: str = "greedy"
    settings: dict[str, Any] = {}
    step: int = 0
    scores: dict[str, Any] = {}
    training: dict[str, Any] = {}
    export: dict[str, Any] = {}

    @classmethod
    def of(cls, agent: str, spec: Spec, mode: str, settings: Mapping[str, Any]) -> Card:
        """Returns the card of a policy for `spec`."""
        return cls(
            agent=agent,
            env=spec.env_id,
            preprocess=spec.preprocess,
            observation_space=describe_space(spec.observation_space),
            action_space=describe_space(spec.action_space),
            mode=mode,
            settings=dict(settings),
        )

    @property
    def name(self) -> str:
        """What the policy is called among others: its agent, and its quantization if it has one."""
        kind = self.export.get("quantize", "none")
        return self.agent if kind == "none" else f"{self.agent}-{kind}"


class Policy(Player):
    """Plays what a frozen function says, in the mode stored with it.

    The function's outputs name what they are: "q" (action values), "logits" (of a categorical
    distribution), or "mean" and "log_std" (of a Gaussian in [-1, 1], scaled to the action space).
    The network returns a distribution's parameters; NumPy samples from it with the row's own key.
    A function with memory has a `state_size`; its state travels in the rows' state, beside their keys.
    """

    def __init__(self, function: Callable[..., functions.Outputs], card: Card, mode: Mode | None = None) -> None:
        self.function = function
        self.card = card
        self._mode = mode or Mode.parse(card.mode)
        self._state_size: int = getattr(function, "state_size", 0)
        low, high = (np.asarray(card.action_space.get(key, 0.0), np.float32) for key in ("low", "high"))
        self._low, self._half_range = low, (high - low) / 2.0

    @property
    def mode(self) -> Mode:
        return self._mode

    def with_mode(self, mode: Mode) -> Policy:
        return Policy(self.function, self.card, mode)

    def with_card(self, **changes: Any) -> Policy:
        """Returns this policy with entries of its card changed (step, scores)."""
        return Policy(self.function, self.card.model_copy(update=changes), self._mode)

    def initial_state(self, seeds: np.ndarray) -> Any:
        keys = () if self._mode.name == "greedy" else seeding.row_keys(seeds)
        return (np.zeros((len(seeds), self._state_size), np.float32), keys) if self._state_size else keys

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        if not self._state_size:
            return self._decide(self.function(obs), state)
        memory, keys = state
        outputs = self.function(obs, memory)
        action, keys, extras = self._decide(outputs, keys)
        return Decision(action, (outputs[NEXT_STATE], keys), {**extras, STATE: memory})

    def _decide(self, outputs: functions.Outputs, state: Any) -> Decision:
        """Returns the decision that outputs lead to, and the keys after it as its state."""
        if "mean" in outputs:
            return self._act_gaussian(outputs["mean"], outputs["log_std"], state)
        if "q" in outputs:
            values, extras = outputs["q"], {"q": outputs["q"]}
            if self._mode.name == "sample":
                values = np.log(softmax(values))
        else:
            values = outputs["logits"]
            extras = {"probs": softmax(values)}
        if self._mode.name == "greedy":
            return Decision(values.argmax(-1), state, extras)
        draw, state = seeding.row_uniform(state)
        if self._mode.name == "sample":
            return Decision(sample_categorical(values, draw), state, extras)
        other, state = seeding.row_uniform(state)
        uniform = (other * values.shape[-1]).astype(np.int64)
        return Decision(np.where(draw < self._mode.epsilon, uniform, values.argmax(-1)), state, extras)

    def _act_gaussian(self, mean: np.ndarray, log_std: np.ndarray, state: Any) -> Decision:
        unit = mean
        if self._mode.name == "sample":
            noise, state = seeding.row_normal(state, mean.shape[-1])
            unit = mean + np.exp(log_std) * noise
        elif self._mode.name == "epsilon":
            draw, state = seeding.row_uniform(state)
            coins = []
            for _ in range(mean.shape[-1]):
                coin, state = seeding.row_uniform(state)
                coins.append(2.0 * coin - 1.0)
            unit = np.where((draw < self._mode.epsilon)[:, None], np.stack(coins, -1), mean)
        action = scale_action(unit, self._low, self._half_range)
        return Decision(action, state, {"mean": mean, "std": np.exp(log_std) + np.zeros_like(mean)})


def scale_action(unit: np.ndarray, low: np.ndarray, half_range: np.ndarray) -> np.ndarray:
    """Returns [N, A] float32 actions in the environment's units from ones in [-1, 1], which are clipped."""
    scaled: np.ndarray = low + (np.clip(unit, -1.0, 1.0) + 1.0) * half_range
    return scaled.astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Returns probabilities along the last axis."""
    shifted: np.ndarray = np.exp(logits - logits.max(-1, keepdims=True))
    shifted /= shifted.sum(-1, keepdims=True)
    return shifted


def sample_categorical(logits: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Returns [N] int64 samples from [N, A] logits by inverting the distribution at [N] uniforms."""
    cumulative = np.cumsum(softmax(logits.astype(np.float64)), axis=-1)
    chosen: np.ndarray = np.minimum((cumulative < draw[:, None]).sum(-1), logits.shape[-1] - 1)
    return chosen


class LiteRTFunction:
    """A LiteRT network as a function from [N, ...] observations to named outputs.

    One with memory has a second input, "state" [N, S], and "next_state" among its outputs; episodes begin with zeros.
    Answers are the same for every batch size and number of threads.

    Attributes:
      content: the file.
      state_size: S, or 0 without memory.
    """

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.content = content
        with silent_stderr():
            self._interpreter = Interpreter(model_content=content, num_threads=threads_for(len(content)))
            self._interpreter.allocate_tensors()
        inputs = self._interpreter.get_input_details()
        self._input, self._state, self.state_size = inputs[0], -1, 0
        if len(inputs) > 1:
            named = self._runner().get_input_details()
            self._state, self.state_size = int(named[STATE]["index"]), int(named[STATE]["shape"][-1])
            self._input = next(details for name, details in named.items() if name != STATE)
        self._dtype = self._input["dtype"]
        self._outputs: list[tuple[str, int]] = []
        self._num_rows = -1

    def __call__(self, obs: np.ndarray, state: np.ndarray | None = None) -> functions.Outputs:
        if len(obs) != self._num_rows:
            self._resize(obs.shape)
        interpreter = self._interpreter
        if obs.dtype != self._dtype or not obs.flags.c_contiguous:
            obs = np.ascontiguousarray(obs, self._dtype)
        interpreter.set_tensor(self._input["index"], obs)
        if self.state_size:
            interpreter.set_tensor(self._state, state)
        interpreter.invoke()
        return {name: interpreter.get_tensor(index) for name, index in self._outputs}

    def _resize(self, shape: tuple[int, ...]) -> None:
        self._interpreter.resize_tensor_input(self._input["index"], shape)
        if self.state_size:
            self._interpreter.resize_tensor_input(self._state, (shape[0], self.state_size))
        self._interpreter.allocate_tensors()
        self._num_rows = shape[0]
        self._outputs = [(name, int(d["index"])) for name, d in self._runner().get_output_details().items()]

    def _runner(self) -> Any:
        return self._interpreter.get_signature_runner(next(iter(self._interpreter.get_signature_list())))


def describe_space(space: gym.Space[Any]) -> dict[str, Any]:
    """Returns a space as JSON: kind, shape, dtype, and the bounds of an action space small enough to list."""
    if isinstance(space, gym.spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n)}
    if isinstance(space, gym.spaces.Box):
        described: dict[str, Any] = {"kind": "box", "shape": list(space.shape), "dtype": str(space.dtype)}
        if space.shape and len(space.shape) == 1 and np.prod(space.shape) <= 64 and space.is_bounded():
            described |= {"low": space.low.tolist(), "high": space.high.tolist()}
        return described
    return {"kind": type(space).__name__.lower(), "text": str(space)}


def check_fits(card: Card, spec: Spec, name: str) -> None:
    """Raises DoesNotFit unless the policy on `card` can play in `spec`."""
    for what, card_space, space in (
        ("observations", card.observation_space, spec.observation_space),
        ("actions", card.action_space, spec.action_space),
    ):
        wanted, given = card_space, describe_space(space)
        if any(wanted.get(key) != given.get(key) for key in ("kind", "n", "shape", "dtype")):
            raise DoesNotFit(
                f"{name} was trained on {card.env} and does not fit {spec.env_id}: "
                f"its {what} are {_brief(wanted)}, here they are {_brief(given)}"
            )


def _brief(space: Mapping[str, Any]) -> str:
    if space["kind"] == "discrete":
        return f"discrete({space['n']})"
    return f"{space['kind']}{tuple(space.get('shape', ()))} {space.get('dtype', '')}".strip()


def suffix_of(policy: Policy) -> str:
    """Returns ".tflite" or ".npz", whichever the policy is saved as."""
    return ".tflite" if isinstance(policy.function, LiteRTFunction) else ".npz"


def save(policy: Policy, path: Path) -> Path:
    """Writes a policy atomically; the suffix of `path` is replaced by the one that fits. Returns the path."""
    path = path.with_suffix(suffix_of(policy))
    card = policy.card.model_dump() | {"sha256": _BLANK, "mode": str(policy.mode)}
    temporary = path.with_name(path.name + ".tmp")
    if isinstance(policy.function, LiteRTFunction):
        temporary.write_bytes(_sealed(litert.with_metadata(policy.function.content, CARD_KEY, json.dumps(card))))
    else:
        kind, arrays = pack(policy.function)
        header = {"function": kind, "card": card}
        card["sha256"] = _array_digest(header, arrays)
        with temporary.open("wb") as file:
            content: dict[str, Any] = {CARD_KEY: np.array(json.dumps(header)), **arrays}
            np.savez(file, **content)
    os.replace(temporary, path)
    return path


def load(path: Path) -> Policy:
    """Returns the policy in a `.tflite` or `.npz` file. Raises DamagedFile where it is none."""
    with _told_of_damage(path):
        if path.suffix == ".npz":
            return _load_arrays(path)
        content = path.read_bytes()
        card = read_card(content)
        if card is None:
            raise ValueError("it has no card; `arena inspect` and `arena profile` take any LiteRT file")
        return Policy(LiteRTFunction(content), card)


def card_of(path: Path) -> Card | None:
    """Returns the card of a policy's file, checked against its content, or None for a LiteRT file without one.

    No native code sees the file. Raises DamagedFile where it is no policy.
    """
    with _told_of_damage(path):
        return _load_arrays(path).card if path.suffix == ".npz" else read_card(path.read_bytes())


@contextlib.contextmanager
def _told_of_damage(path: Path) -> Iterator[None]:
    """Raises DamagedFile for an error in the block: the parsers of damaged files fail in every way there is."""
    try:
        yield
    except (ImportError, ArenaError):
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "allow_pickle" in reason:
            reason = "it holds pickled objects, which are never loaded"
        raise DamagedFile(f"{path} is not a policy of the arena, or is damaged ({reason})") from error


def _load_arrays(path: Path) -> Policy:
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
            raise ValueError("it is compressed, as no policy of the arena is")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
        header = json.loads(str(content[CARD_KEY]))
        arrays = {name: content[name] for name in content.files if name != CARD_KEY}
    card = Card.model_validate(header["card"])
    header["card"]["sha256"] = _BLANK
    if _array_digest(header, arrays) != card.sha256:
        raise ValueError("its content does not match the hash in its card")
    return Policy(unpack(header["function"], arrays), card)


def pack(function: Any) -> tuple[Any, dict[str, np.ndarray]]:
    """Returns what kind a function is, as plain data, and its arrays by name."""
    if isinstance(function, LiteRTFunction):
        return _LITERT, {"content": np.frombuffer(function.content, np.uint8)}
    if isinstance(function, functions.Encoded):
        parts = {name: pack(getattr(function, name)) for name in ("encoder", "function")}
        arrays = {f"{name}.{key}": array for name, (_, held) in parts.items() for key, array in held.items()}
        return {name: kind for name, (kind, _) in parts.items()}, arrays
    return functions.name_of(function), functions.arrays_of(function)


def unpack(kind: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Returns the function that pack() took apart."""
    if kind == _LITERT:
        return LiteRTFunction(arrays["content"].tobytes())
    if isinstance(kind, dict):
        parts = {
            name: unpack(
                of, {key.removeprefix(f"{name}."): a for key, a in arrays.items() if key.startswith(f"{name}.")}
            )
            for name, of in kind.items()
        }
        return functions.Encoded(**parts)
    return functions.FUNCTIONS[kind](**arrays)


def _array_digest(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(header).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def _sealed(content: bytes) -> bytes:
    """Returns a file with its hash in the place that its card leaves for it."""
    return _SEAL.sub(lambda match: match[0].replace(_BLANK.encode(), _digest(content)), content)


def read_card(content: bytes) -> Card | None:
    """Returns the card in a LiteRT file, or None where it has none. No parser sees a file whose hash is wrong.

    Raises ValueError where the file is no LiteRT file, or not what it was when it was written.
    """
    if content[4:8] != b"TFL3":
        raise ValueError("not a LiteRT file")
    seals = list(_SEAL.finditer(content))
    if not seals:
        return None
    sealed = seals[0][1]
    if len(seals) > 1 or _digest(content.replace(sealed, _BLANK.encode())) != sealed:
        raise ValueError("its content does not match the hash in its card")
    card, _ = json.JSONDecoder().raw_decode(content[seals[0].start() :].decode(errors="replace"))
    return Card.model_validate(card)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
