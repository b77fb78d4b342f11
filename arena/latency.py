"""Measures one LiteRT file, in a process of its own: a file that crashes native code takes nothing else with it.

Started by arena.profiling as `python -m arena.latency FILE THREADS RUNS`; prints one JSON object a line,
{"done": share} as it goes and {"result": ...} or {"error": ...} in the end.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from arena import inspection, litert
from arena.errors import ArenaError
from arena.quiet import silent_stderr

_OPERATORS_S = 8.0  # what measuring single operators may take, about
_BLOCK = 8  # calls in a row of each network that is cut short; the first of them finds its weights out of the cache


def main(path: str, num_threads: str, num_runs: str) -> None:
    """Measures and prints."""
    try:
        _say(result=measure(Path(path), int(num_threads), int(num_runs)))
    except ArenaError as error:
        _say(error=str(error))
    except (RuntimeError, ValueError) as error:  # LiteRT's own words for what it cannot run
        _say(error=f"LiteRT cannot run {path}: {' '.join(str(error).split())}")


def measure(path: Path, num_threads: int, num_runs: int) -> dict[str, Any]:
    """Returns the times, in microseconds, and the memory, in bytes, that a LiteRT file takes."""
    content, model = inspection.read_model(path)
    resident = _memory("VmRSS")
    begin = time.perf_counter_ns()
    interpreter = _interpreter(content, num_threads)
    load_us = (time.perf_counter_ns() - begin) / 1e3
    first_us = _call_us(interpreter)
    runs_us = []
    for number in range(num_runs):
        runs_us.append(_call_us(interpreter))
        if number % 50 == 0:
            _say(done=0.5 * number / num_runs)
    peak = _memory("VmHWM")
    return {
        "load_us": load_us,
        "first_us": first_us,
        "min_us": min(runs_us),
        "max_us": max(runs_us),
        "mean_us": float(np.mean(runs_us)),
        "std_us": float(np.std(runs_us)),
        "operators": _operators(model, num_threads, num_runs, float(np.median(runs_us))),
        "peak_bytes": peak,
        "model_bytes": peak - resident,
    }


def _operators(model: Any, num_threads: int, num_runs: int, full_us: float) -> list[dict[str, Any]]:
    """Returns the time of each operator of the first subgraph: that of the network up to it, less that up to the last.

    The networks that are cut short take turns. What an operator does to constants alone is done once, at loading.
    """
    names = inspection.operator_names(model, model.subgraphs[0])
    lengths = [0, *(k + 1 for k in range(len(names)) if not _is_constant(model, k))]
    cut = [_interpreter(_cut(model, length), num_threads) for length in lengths]
    num_rounds = max(3, min(num_runs, int(_OPERATORS_S * 1e6 / (len(cut) * full_us / 2 * _BLOCK + 1))))
    times = np.zeros((num_rounds, len(cut)))
    for turn in range(num_rounds):
        for place, interpreter in enumerate(cut):
            times[turn, place] = np.median([_call_us(interpreter) for _ in range(_BLOCK)][1:])
        _say(done=0.5 + 0.5 * turn / num_rounds)
    spent = dict(zip(lengths[1:], np.diff(np.median(times, axis=0)), strict=True))
    return [
        {"index": k, "operator": name, "us": max(0.0, float(spent.get(k + 1, 0.0)))} for k, name in enumerate(names)
    ]


def _is_constant(model: Any, place: int) -> bool:
    """Whether an operator's inputs are all constants."""
    graph = model.subgraphs[0]
    inputs = [graph.tensors[i] for i in graph.operators[place].inputs if i >= 0]
    buffers = [model.buffers[tensor.buffer].data for tensor in inputs]
    return bool(inputs) and all(data is not None and len(data) for data in buffers)


def _cut(model: Any, length: int) -> bytes:
    """Returns the network's first `length` operators as a LiteRT file; their last one's outputs are its outputs."""
    short = copy.copy(model)
    short.signatureDefs, short.metadata = [], []
    graph = copy.copy(model.subgraphs[0])
    short.subgraphs = [graph, *model.subgraphs[1:]]
    kept = [k for k in range(length) if not _is_constant(model, k)]
    wanted = {i for k in kept for i in graph.operators[k].inputs}
    graph.operators = [
        operator for k, operator in enumerate(graph.operators[:length]) if k in kept or wanted & set(operator.outputs)
    ]
    graph.outputs = list(graph.operators[-1].outputs) if length else list(graph.inputs)
    return litert.pack(short)


def _interpreter(content: bytes, num_threads: int) -> Any:
    """Returns an interpreter that is ready to be called: at batch 1, with random inputs (zeros for indices)."""
    from ai_edge_litert.interpreter import Interpreter

    with silent_stderr():
        interpreter = Interpreter(model_content=content, num_threads=num_threads)
        interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for details in interpreter.get_input_details():
        shape, dtype = details["shape"], np.dtype(details["dtype"])
        if dtype.kind == "f":
            values = rng.random(shape).astype(dtype)
        else:
            values = rng.integers(256, size=shape).astype(dtype) if dtype == np.uint8 else np.zeros(shape, dtype)
        interpreter.set_tensor(details["index"], values)
    return interpreter


def _call_us(interpreter: Any) -> float:
    begin = time.perf_counter_ns()
    interpreter.invoke()
    return (time.perf_counter_ns() - begin) / 1e3


def _memory(name: str) -> int:
    """Returns VmRSS (resident now) or VmHWM (the most so far) of this process in bytes; 0 where the system hides it."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":")), 0)


def _say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
