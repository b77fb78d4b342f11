"""What is in a LiteRT file: read and checked in Python alone, so that no file, however damaged, can do harm."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena import litert, policy
from arena.errors import ArenaError, DamagedFile

_BITS = {"bool": 8, "string": 0, "resource": 0, "variant": 0, "int2": 2, "int4": 4, "uint4": 4, "bfloat16": 16}
_WEIGHTS = ("float", "bfloat", "int8", "int4", "int2", "uint8")  # how the types of parameters begin; others are indices
_MOST_BYTES = 1 << 34  # of a tensor; what asks for more is damage


@dataclass(frozen=True)
class Inspection:
    """What a LiteRT file holds.

    Attributes:
      path, bytes: the file and its size.
      signatures: each with name, inputs and outputs; a tensor has name, shape (-1 where it is open) and type.
      operators: how often each is used, the most frequent first.
      parameters: values in constants of a floating or quantized type, shared ones once.
      constants: by type, the number of tensors, values and bytes.
      subgraphs: how many.
      card: the policy's card, or None in a file that is no policy.
    """

    path: str
    bytes: int
    signatures: list[dict[str, Any]]
    operators: dict[str, int]
    parameters: int
    constants: dict[str, dict[str, int]]
    subgraphs: int
    card: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """Returns the result as a JSON object."""
        return asdict(self)


def inspect(path: Path) -> Inspection:
    """Returns what a LiteRT file holds. Raises DamagedFile where it is none."""
    content, model = read_model(path)
    with _told_of_damage(path):
        names = [name for subgraph in model.subgraphs for name in operator_names(model, subgraph)]
        card = policy.read_card(content)
        constants = _constants(model)
        return Inspection(
            path=str(path),
            bytes=len(content),
            signatures=_signatures(model),
            operators=dict(collections.Counter(names).most_common()),
            parameters=sum(entry["values"] for kind, entry in constants.items() if kind.startswith(_WEIGHTS)),
            constants=constants,
            subgraphs=len(model.subgraphs),
            card=card.model_dump() if card else None,
        )


def read_model(path: Path) -> tuple[bytes, Any]:
    """Returns a LiteRT file's bytes and its parsed ModelT, checked. Raises DamagedFile where it is none."""
    if not path.is_file():
        raise ArenaError(f"there is no file {path}")
    content = path.read_bytes()
    with _told_of_damage(path):
        policy.read_card(content)
        model = litert.parse(content)
        _check(model)
    return content, model


@contextlib.contextmanager
def _told_of_damage(path: Path) -> Iterator[None]:
    """Raises DamagedFile for an error in the block: flatbuffers reads unchecked, and fails in every way there is."""
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise DamagedFile(f"{path} is not a LiteRT model, or is damaged ({reason})") from error


def operator_names(model: Any, subgraph: Any) -> list[str]:
    """Returns the names of a subgraph's operators, in the order of their execution."""
    from ai_edge_litert import schema_py_generated as schema

    names = _names(schema.BuiltinOperator)
    found = []
    for operator in subgraph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        custom = _text(code.customCode)
        found.append(custom if names[number] == "CUSTOM" else names[number])
    return found


def _text(name: bytes | None) -> str:
    """Returns a name as it can be printed, whatever a stranger's file has in its place."""
    return "".join(letter if letter.isprintable() else "?" for letter in (name or b"").decode(errors="replace"))


def type_name(tensor: Any) -> str:
    """Returns a tensor's type as NumPy writes it: float32, int8, ..."""
    from ai_edge_litert import schema_py_generated as schema

    return _names(schema.TensorType)[tensor.type].lower()


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _num_values(tensor: Any) -> int:
    return int(np.prod(np.asarray(tensor.shape if tensor.shape is not None else (), np.float64)))


def _num_bytes(tensor: Any) -> int:
    kind = type_name(tensor)
    bits = _BITS[kind] if kind in _BITS else 8 * np.dtype(kind).itemsize
    return (_num_values(tensor) * bits + 7) // 8


def _constants(model: Any) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    seen: set[int] = set()
    for tensor in (t for subgraph in model.subgraphs for t in subgraph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is None or not len(data) or tensor.buffer in seen:
            continue
        seen.add(tensor.buffer)
        entry = found.setdefault(type_name(tensor), {"tensors": 0, "values": 0, "bytes": 0})
        entry["tensors"] += 1
        entry["values"] += _num_values(tensor)
        entry["bytes"] += len(data)
    return dict(sorted(found.items(), key=lambda item: -item[1]["bytes"]))


def _signatures(model: Any) -> list[dict[str, Any]]:
    main = model.subgraphs[0]
    if not model.signatureDefs:
        inputs, outputs = ([_tensor(main.tensors[i]) for i in indices] for indices in (main.inputs, main.outputs))
        return [{"name": "", "inputs": inputs, "outputs": outputs}]
    return [
        {
            "name": _text(signature.signatureKey),
            "inputs": _named(model, signature, signature.inputs),
            "outputs": _named(model, signature, signature.outputs),
        }
        for signature in model.signatureDefs
    ]


def _named(model: Any, signature: Any, entries: Any) -> list[dict[str, Any]]:
    tensors = model.subgraphs[signature.subgraphIndex].tensors
    return [_tensor(tensors[entry.tensorIndex]) | {"name": _text(entry.name)} for entry in entries or []]


def _tensor(tensor: Any) -> dict[str, Any]:
    shape = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
    shape = [int(size) for size in shape] if shape is not None else []
    return {"name": _text(tensor.name), "shape": shape, "type": type_name(tensor)}


def _check(model: Any) -> None:
    """Raises ValueError where a parsed model's parts do not go together."""
    if model.version != 3 or not model.subgraphs or not model.buffers:
        raise ValueError("it holds no network")
    for subgraph in model.subgraphs:
        num_tensors = len(subgraph.tensors or [])
        subgraph.operators = subgraph.operators or []
        for tensor in subgraph.tensors or []:
            _check_tensor(model, tensor)
        for operator in subgraph.operators:
            if not 0 <= operator.opcodeIndex < len(model.operatorCodes):
                raise ValueError("an operator has no name")
            _check_indices(operator.inputs, num_tensors, optional=True)
            _check_indices(operator.outputs, num_tensors)
        _check_indices(subgraph.inputs, num_tensors)
        _check_indices(subgraph.outputs, num_tensors)
    for signature in model.signatureDefs or []:
        subgraph = model.subgraphs[signature.subgraphIndex]
        for entry in [*(signature.inputs or []), *(signature.outputs or [])]:
            _check_indices([entry.tensorIndex], len(subgraph.tensors))


def _check_tensor(model: Any, tensor: Any) -> None:
    if not 0 <= tensor.buffer < len(model.buffers):
        raise ValueError("a tensor's values are nowhere")
    shape = tensor.shape if tensor.shape is not None else ()
    if any(size < 0 for size in shape) or _num_bytes(tensor) > _MOST_BYTES:
        raise ValueError(f"a tensor has the shape {list(map(int, shape))}")
    data = model.buffers[tensor.buffer].data
    if data is not None and len(data) and _num_bytes(tensor) not in (0, len(data)):
        raise ValueError(f"a tensor of {_num_bytes(tensor)} bytes has {len(data)}")


def _check_indices(indices: Any, number: int, *, optional: bool = False) -> None:
    if any(not (-1 if optional else 0) <= index < number for index in (indices if indices is not None else ())):
        raise ValueError("an operator asks for a tensor that is not there")
