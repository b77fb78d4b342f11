"""Export: one file that carries its card, plays, and answers for what quantization did to it."""

import json
from pathlib import Path

import numpy as np
import pytest

from arena import inspection, policy, quantization, registry
from arena.export import export
from arena.functions import Linear, Table
from envs import make

CARTPOLE = make("CartPole-v1").spec
LAKE = make("FrozenLake-v1").spec


@pytest.fixture
def table(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(16, 4))
    return policy.save(policy.Policy(Table(values), policy.Card.of("table", LAKE, "greedy", {})), tmp_path / "table")


@pytest.fixture
def linear(tmp_path: Path) -> Path:
    function = Linear(np.float32([[0, 0], [0, 0.1], [0, 1], [0, 0.5]]), np.zeros(2, np.float32))
    card = policy.Card.of("linear", CARTPOLE, "sample", {"rate": 0.1}).model_copy(update={"step": 7})
    return policy.save(policy.Policy(function, card), tmp_path / "linear")


@pytest.mark.parametrize("quantize", ["float16", "dynamic", "int8"])
def test_a_quantized_policy_is_an_agent_and_answers_for_itself(arena, litert_policy: Path, quantize):
    outcome = arena("export", litert_policy, "--out", "small.tflite", "--quantize", quantize, "--episodes", 3, "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert told["bytes"] == Path("small.tflite").stat().st_size
    assert (told["observations"] > 0) == (quantize == "int8")
    compared = told["comparison"]
    assert compared["games"] == 3
    assert compared["agreement"] > 0.9
    card = policy.load(Path("small.tflite")).card
    assert card.export["quantize"] == quantize
    assert registry.resolve("small.tflite").name == f"network-{quantize}"
    assert card.export["source_sha256"] == policy.load(litert_policy).card.sha256
    assert card.export["calibration_observations"] == told["observations"]
    assert card.export["comparison"] == compared
    played = json.loads(arena("eval", "small.tflite", "--env", "CartPole-v1", "--episodes", 3, "--json").out)
    assert played["mean"] == pytest.approx(compared["other_mean"])
    original = json.loads(arena("eval", litert_policy, "--env", "CartPole-v1", "--episodes", 3, "--json").out)
    assert original["mean"] == pytest.approx(compared["mean"])


def test_a_network_that_is_only_copied_needs_no_games(arena, litert_policy: Path):
    outcome = arena("export", litert_policy, "--out", "copy.tflite")
    assert outcome.out.splitlines()[-1] == "network  the same, bit for bit: no games needed"
    obs = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    first, second = (policy.load(Path(path)).function(obs)["logits"] for path in (litert_policy, "copy.tflite"))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("quantize", quantization.KINDS)
def test_an_exported_network_has_a_batch_of_one(arena, litert_policy: Path, quantize):
    arena("export", litert_policy, "--out", "one.tflite", "--quantize", quantize, "--episodes", 1)
    (signature,) = inspection.inspect(Path("one.tflite")).signatures
    assert [tensor["shape"] for tensor in signature["inputs"] + signature["outputs"]] == [[1, 4], [1, 2]]


def test_tables_and_linear_features_become_networks(linear: Path, table: Path, tmp_path: Path):
    for source, env in ((linear, "CartPole-v1"), (table, "FrozenLake-v1")):
        result = export(str(source), tmp_path / f"{source.stem}.tflite", episodes=3)
        assert result.env == env
        assert result.comparison is not None
        assert result.comparison.agreement == 1.0
        assert result.comparison.difference == 0.0
        card = policy.load(result.path).card
        assert (card.agent, card.mode) == (source.stem, policy.load(source).card.mode)


def test_a_table_stays_a_table_in_an_npz_file(table: Path, tmp_path: Path):
    result = export(str(table), tmp_path / "again.npz")
    assert result.comparison is None
    assert np.array_equal(policy.load(result.path).function.q, policy.load(table).function.q)


def test_a_learner_by_name_gives_the_policy_that_it_starts_with(tmp_path: Path):
    result = export("q_learning", tmp_path / "start.tflite", env_id="FrozenLake-v1", episodes=1)
    assert policy.load(result.path).card.agent == "q_learning"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("{table} --out x.txt", "--out must end in .tflite or .npz, not 'x.txt'"),
        ("{table} --out x.npz --quantize int8", "only a .tflite file can be quantized; give --out one, or leave out"),
        ("{table} --out {table}", "table.npz exists already; give --out a new file"),
        ("{table} --out nowhere/x.tflite", "there is no folder nowhere for x.tflite"),
        ("{table} --out x.tflite --quantize in8", "unknown quantization 'in8'; did you mean 'int8'?"),
        ("{table} --out x.tflite --episodes 0", "episodes must be a whole number of at least 1, not 0"),
        ("{table} --out x.tflite --seed -1", "a seed is a whole number of at least 0"),
        ("{table} --out x.tflite --env CartPole-v1", "was trained on FrozenLake-v1 and does not fit CartPole-v1"),
        (
            "{table} --out x.tflite --env-set map_name=8x8",
            "its observations are discrete(16), here they are discrete(64)",
        ),
        ("{network} --out x.npz", "is a network; give --out a file that ends in .tflite"),
        ("random --out x.tflite", "random has no card that names its environment; give one with --env"),
        ("random --out x.tflite --env CartPole-v1", "random plays by code of its own"),
        ("nothing.tflite --out x.tflite", "there is no policy file nothing.tflite"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(arena, table: Path, litert_policy: Path, tmp_path, arguments, line):
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    outcome = arena("export", *arguments.format(table=table, network=litert_policy).split())
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert line in outcome.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_quantized_is_not_quantized_again(arena, litert_policy: Path):
    arena("export", litert_policy, "--out", "small.tflite", "--quantize", "float16", "--episodes", 1)
    outcome = arena("export", "small.tflite", "--out", "smaller.tflite", "--quantize", "int8")
    assert outcome.code == 2
    assert outcome.err == "arena: small.tflite is quantized already (float16); export from what it was made of\n"
    assert arena("export", "small.tflite", "--out", "copy.tflite").code == 0
    assert policy.load(Path("copy.tflite")).card.export["quantize"] == "float16"


def test_the_text_says_what_changed(arena, litert_policy: Path):
    out = arena("export", litert_policy, "--out", "small.tflite", "--quantize", "int8", "--episodes", 2).out
    labels = [line.split("  ")[0] for line in out.splitlines()[1:]]
    assert labels == ["size", "calibration", "same action", "", "score", "difference"]
    assert out.splitlines()[0] == f"{litert_policy} -> small.tflite, quantization int8"
