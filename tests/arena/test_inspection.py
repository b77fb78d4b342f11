"""Inspection of LiteRT files: what they hold, and that no damage does more than give one line."""

import json
import random
from pathlib import Path

import pytest

from arena import inspection, litert
from arena.errors import DamagedFile


def test_a_policys_file_is_described(litert_policy: Path):
    found = inspection.inspect(litert_policy)
    # Two products without a bias: 4 x 16 and 16 x 2 weights of 4 bytes.
    assert found.parameters == 4 * 16 + 16 * 2
    assert found.constants["float32"] == {"tensors": 2, "values": 96, "bytes": 384}
    assert found.operators == {"FULLY_CONNECTED": 2, "TANH": 1}
    assert next(iter(found.operators)) == "FULLY_CONNECTED"
    (signature,) = found.signatures
    assert signature["inputs"] == [{"name": "obs", "shape": [-1, 4], "type": "float32"}]
    assert signature["outputs"] == [{"name": "logits", "shape": [-1, 2], "type": "float32"}]
    assert found.bytes == litert_policy.stat().st_size
    assert found.card["env"] == "CartPole-v1"


def test_a_model_of_someone_else_can_be_inspected_and_played(arena, foreign_model: Path):
    outcome = arena("inspect", foreign_model)
    assert outcome.code == 0
    assert "card        none: a LiteRT model, but no policy of the arena\n" in outcome.out
    outcome = arena("eval", foreign_model, "--env", "CartPole-v1")
    assert outcome.code == 0
    assert outcome.out.startswith("model on CartPole-v1: ")


def test_json_has_what_the_text_has(arena, litert_policy: Path):
    outcome = arena("inspect", litert_policy, "--json")
    assert json.loads(outcome.out) == inspection.inspect(litert_policy).to_json()
    assert outcome.err == ""


def test_the_text_is_aligned(arena, litert_policy: Path):
    lines = arena("inspect", litert_policy).out.splitlines()
    assert lines[0].startswith("file        ")
    assert "  input     obs [?, 4] float32" in lines
    assert "operators     2 FULLY_CONNECTED" in lines
    assert all(line[10:12] == "  " and line[12] != "\n" for line in lines)


def test_names_of_a_stranger_cannot_steer_the_terminal(arena, foreign_model: Path, tmp_path: Path):
    model = litert.parse(foreign_model.read_bytes())
    model.signatureDefs[0].signatureKey = "a\x1b[2Jb"
    path = tmp_path / "model.tflite"
    path.write_bytes(litert.pack(model))
    assert "a?[2Jb" in arena("inspect", path).out


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "not a LiteRT file"),
        (b"\x89PNG\r\n\x1a\n and so on", "not a LiteRT file"),
        (b"\x00\x00\x00\x00TFL3", "is not a LiteRT model, or is damaged"),
    ],
)
@pytest.mark.parametrize("command", ["inspect", "profile"])
def test_what_is_no_model_is_one_line(arena, tmp_path, command, content, line):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    outcome = arena(command, path)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert line in outcome.err


@pytest.mark.parametrize("command", ["inspect", "profile"])
def test_a_missing_file_and_a_folder_are_one_line(arena, tmp_path, command):
    for name in ("nothing.tflite", "."):
        outcome = arena(command, name)
        assert (outcome.code, outcome.err) == (2, f"arena: there is no file {name}\n")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda model, graph: graph.operators[0].inputs.__setitem__(0, 99), "a tensor that is not there"),
        (lambda model, graph: setattr(graph, "outputs", [-1]), "a tensor that is not there"),
        (lambda model, graph: setattr(graph.operators[0], "opcodeIndex", 9), "an operator has no name"),
        (lambda model, graph: setattr(graph.tensors[1], "buffer", 99), "a tensor's values are nowhere"),
        (lambda model, graph: setattr(graph.tensors[0], "shape", [-5, 4]), r"a tensor has the shape \[-5, 4\]"),
        (lambda model, graph: setattr(graph.tensors[0], "shape", [1 << 30, 1 << 30]), "a tensor has the shape"),
        (lambda model, graph: setattr(model, "subgraphs", []), "it holds no network"),
        (lambda model, graph: setattr(model, "version", 4), "it holds no network"),
    ],
)
def test_parts_that_do_not_go_together_are_found(foreign_model: Path, tmp_path: Path, change, line):
    model = litert.parse(foreign_model.read_bytes())
    graph = model.subgraphs[0]
    graph.operators[0].inputs = list(graph.operators[0].inputs)
    change(model, graph)
    path = tmp_path / "model.tflite"
    path.write_bytes(litert.pack(model))
    with pytest.raises(DamagedFile, match=line):
        inspection.inspect(path)


def test_a_constant_of_the_wrong_size_is_found(foreign_model: Path, tmp_path: Path):
    model = litert.parse(foreign_model.read_bytes())
    buffer = next(buffer for buffer in model.buffers if buffer.data is not None and len(buffer.data) == 256)
    buffer.data = buffer.data[:-4]
    path = tmp_path / "model.tflite"
    path.write_bytes(litert.pack(model))
    with pytest.raises(DamagedFile, match="a tensor of 256 bytes has 252"):
        inspection.inspect(path)


def test_any_damage_is_one_line_or_none(foreign_model: Path, tmp_path: Path):
    content, rng, path = foreign_model.read_bytes(), random.Random(0), tmp_path / "model.tflite"
    refused = 0
    for _ in range(300):
        damaged = bytearray(content[: rng.randrange(len(content))] if rng.random() < 0.2 else content)
        for place in rng.choices(range(len(damaged)), k=rng.choice((1, 2, 8))) if damaged else ():
            damaged[place] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        path.write_bytes(damaged)
        try:
            inspection.inspect(path)
        except DamagedFile as error:
            refused += 1
            assert "\n" not in str(error)
    assert 60 < refused < 300
