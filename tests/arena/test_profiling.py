"""Profiling of LiteRT files, in a process of its own."""

import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from agents.parts import tensorflow
from arena import latency, litert, profiling
from arena.conversion import to_litert
from arena.errors import ArenaError, DamagedFile, InvalidValue
from arena.quantization import quantize

TIMES = ("load_us", "first_us", "min_us", "max_us", "mean_us")


def test_a_profile_has_latency_operators_and_memory(litert_policy: Path):
    shares: list[float] = []
    found = profiling.profile(litert_policy, runs=20, threads=2, on_progress=shares.append)
    assert all(getattr(found, name) > 0 for name in TIMES)
    assert found.min_us <= found.mean_us <= found.max_us
    assert (found.runs, found.threads) == (20, 2)
    assert [entry["operator"] for entry in found.operators] == ["FULLY_CONNECTED", "TANH", "FULLY_CONNECTED"]
    assert sum(entry["share"] for entry in found.operators) == pytest.approx(1.0)
    assert {entry["operator"]: entry["count"] for entry in found.by_type} == {"FULLY_CONNECTED": 2, "TANH": 1}
    assert sum(entry["us"] for entry in found.by_type) == pytest.approx(sum(entry["us"] for entry in found.operators))
    assert found.peak_bytes >= found.model_bytes >= 0
    assert shares == sorted(shares)
    assert 0.5 <= shares[-1] <= 1.0


def test_the_command_prints_it_and_json(arena, litert_policy: Path):
    outcome = arena("profile", litert_policy, "--runs", "5")
    assert outcome.code == 0
    assert outcome.out.startswith("latency  ")
    assert "over 5 calls, batch 1, 1 thread\n" in outcome.out
    assert set(json.loads(arena("profile", litert_policy, "--runs", "5", "--json").out)) > {"by_type", *TIMES}


@pytest.mark.parametrize("option", ["--runs", "--threads"])
def test_a_count_of_none_is_refused(arena, litert_policy: Path, option):
    outcome = arena("profile", litert_policy, option, "0")
    assert (outcome.code, outcome.err) == (2, f"arena: {option[2:]} must be a whole number of at least 1, not 0\n")
    with pytest.raises(InvalidValue):
        profiling.profile(litert_policy, runs=0)


def test_a_crash_of_native_code_is_one_line(litert_policy: Path, tmp_path: Path, monkeypatch):
    crash = tmp_path / "crash"
    crash.write_text(f"#!{sys.executable}\nimport os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    crash.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crash))
    with pytest.raises(DamagedFile, match=r"LiteRT crashed on .*policy\.tflite \(SIGSEGV\)"):
        profiling.profile(litert_policy)


def test_what_litert_cannot_run_is_one_line(foreign_model: Path, tmp_path: Path):
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    model = litert.parse(foreign_model.read_bytes())
    code = model.operatorCodes[0]
    code.builtinCode, code.deprecatedBuiltinCode, code.customCode = (
        BuiltinOperator.CUSTOM,
        BuiltinOperator.CUSTOM,
        "Own",
    )
    path = tmp_path / "own.tflite"
    path.write_bytes(litert.pack(model))
    with pytest.raises(ArenaError, match=r"LiteRT cannot run .*own\.tflite: .*Own"):
        profiling.profile(path, runs=3)


def test_the_heavy_operator_is_found_to_be_heavy(tmp_path: Path, monkeypatch, capsys):
    tf = tensorflow.load()
    monkeypatch.setattr(latency, "_OPERATORS_S", 0.5)
    wide = tf.constant(np.ones((2000, 2000), np.float32))
    path = tmp_path / "model.tflite"
    path.write_bytes(to_litert(lambda obs: {"out": tf.tanh(tf.cos(obs) @ wide)}, (2000,), "float32"))
    operators = latency.measure(path, 1, 20)["operators"]
    capsys.readouterr()
    assert max(operators, key=lambda entry: entry["us"])["operator"] == "FULLY_CONNECTED"


def test_constants_are_prepared_once_and_take_no_time(tmp_path: Path, foreign_model: Path):
    path = tmp_path / "half.tflite"
    path.write_bytes(quantize(foreign_model.read_bytes(), "float16"))
    found = profiling.profile(path, runs=3)
    dequantize = [entry for entry in found.operators if entry["operator"] == "DEQUANTIZE"]
    assert [entry["us"] for entry in dequantize] == [0.0, 0.0]


@pytest.mark.slow
def test_no_damage_ends_the_profiling_process_otherwise_than_with_a_line(arena, foreign_model: Path, tmp_path: Path):
    content, rng, path = foreign_model.read_bytes(), random.Random(0), tmp_path / "model.tflite"
    for _ in range(200):
        damaged = bytearray(content[: rng.randrange(len(content))] if rng.random() < 0.2 else content)
        for place in rng.choices(range(len(damaged)), k=rng.choice((1, 2, 8))) if damaged else ():
            damaged[place] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        path.write_bytes(damaged)
        outcome = arena("profile", path, "--runs", "2")
        assert outcome.code == 0 or (outcome.code, outcome.err.count("\n")) == (2, 1)
