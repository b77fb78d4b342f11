"""Fixtures that several test files share."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import hypothesis
import pytest

hypothesis.settings.register_profile("arena", database=None, deadline=None)
hypothesis.settings.load_profile("arena")


class Outcome(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def arena(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs a command of the arena in this process, in an empty folder."""
    from arena.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out a training's plots and previews, which take longer than the training of a test."""
    monkeypatch.setattr("arena.plots.learning_curve", lambda folder: None)
    monkeypatch.setattr("arena.previews.Previews.show", lambda *arguments: None)


@pytest.fixture(scope="session")
def litert_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LiteRT policy for CartPole-v1: a small network with random weights and logits."""
    import numpy as np

    from agents.parts import tensorflow
    from arena import export, policy
    from arena.agent import Spec
    from envs import make

    tf = tensorflow.load()
    generator = np.random.default_rng(0)
    first, second = (tf.constant(generator.normal(size=shape), tf.float32) for shape in ((4, 16), (16, 2)))
    content = export.to_litert(lambda obs: {"logits": tf.tanh(obs @ first) @ second}, (4,), "float32")
    spec: Spec = make("CartPole-v1").spec
    card = policy.Card.of("network", spec, "greedy", {})
    return policy.save(
        policy.Policy(policy.LiteRTFunction(content), card), tmp_path_factory.mktemp("litert") / "policy"
    )


@pytest.fixture(scope="session")
def foreign_model(litert_policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network of `litert_policy` as someone else's LiteRT model: without a card."""
    from arena import litert

    model = litert.parse(litert_policy.read_bytes())
    model.metadata = []
    model.buffers[-1].data = None
    path = tmp_path_factory.mktemp("foreign") / "model.tflite"
    path.write_bytes(litert.pack(model))
    return path
