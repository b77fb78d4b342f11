"""What `arena export`, `inspect` and `profile` print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from arena import terminal
from arena.comparison import NEAR_TIE, Comparison
from arena.component_export import ComponentExport
from arena.export import Export
from arena.inspection import Inspection
from arena.profiling import Profile

Row = tuple[str, str]


def print_export(result: Export) -> None:
    """Prints what was written, and how it differs from the agent."""
    ratio = result.bytes / result.source_bytes
    terminal.out.print(f"{result.ref} -> {result.path}, quantization {result.quantize}")
    rows = [("size", f"{result.source_bytes:,} -> {result.bytes:,} bytes, {ratio:.3f} of it")]
    if result.observations:
        rows.append(("calibration", f"{result.observations} observations of games of its own on {result.env}"))
    if result.comparison:
        rows += _compared(result.comparison, result.env)
    else:
        rows.append(("network", "the same, bit for bit: no games needed"))
    _print(rows)


def print_component_export(result: ComponentExport) -> None:
    """Prints what was written, and how it differs from the component."""
    terminal.out.print(f"{result.component} -> {result.path}, quantization {result.quantize}")
    rows = [("size", f"{result.bytes:,} bytes")]
    label = f"compared on {result.inputs} random inputs"
    for name, difference in result.differences.items():
        rows.append((label, f"{name}: at most {difference:.2g} apart"))
        label = ""
    _print(rows)


def _compared(c: Comparison, env: str) -> Iterable[Row]:
    if c.agreement is not None:
        yield "same action", f"{c.agreement:.2%} of {c.observations:,} observations"
        apart = f"of the {c.decided:.1%} where the two best values are over {NEAR_TIE:.0%} of their range apart"
        yield "", f"{c.decided_agreement:.2%} {apart}" if c.decided_agreement is not None else f"none {apart}"
    if c.action_difference is not None:
        yield "actions", f"{c.action_difference:.3%} of their range apart on average, {c.observations:,} observations"
    if c.kl is not None:
        yield "mean KL", f"{c.kl:.2g} nats"
    yield "score", f"{c.mean:.2f} -> {c.other_mean:.2f} over {c.games} paired games on {env}"
    yield "difference", f"{c.difference:+.2f}, 95% interval {c.low:+.2f} to {c.high:+.2f}"


def print_inspection(result: Inspection) -> None:
    """Prints what a file holds."""
    rows = [("file", f"{result.path}, {result.bytes:,} bytes"), ("parameters", f"{result.parameters:,}")]
    for signature in result.signatures:
        rows.append(("signature", signature["name"] or "none"))
        for kind in ("inputs", "outputs"):
            rows += [(f"  {kind[:-1]}", _tensor_text(tensor)) for tensor in signature[kind]]
    rows += _listed("operators", [f"{count:>3} {name}" for name, count in result.operators.items()])
    constants = result.constants.items()
    rows += _listed("constants", [f"{e['bytes']:>11,} bytes of {kind} in {e['tensors']}" for kind, e in constants])
    if result.subgraphs > 1:
        rows.append(("subgraphs", str(result.subgraphs)))
    rows += _card(result.card) if result.card else [("card", "none: a LiteRT model, but no policy of the arena")]
    _print(rows)


def _tensor_text(tensor: Mapping[str, Any]) -> str:
    shape = ", ".join("?" if size < 0 else str(size) for size in tensor["shape"])
    return f"{tensor['name']} [{shape}] {tensor['type']}"


def _listed(label: str, lines: list[str]) -> list[Row]:
    return [(label if not number else "", line) for number, line in enumerate(lines or ["none"])]


def _card(card: Mapping[str, Any]) -> Iterable[Row]:
    yield "card", f"{card['agent']} for {card['env']}, preprocessing {card['preprocess']}, plays {card['mode']}"
    scores = ", ".join(f"{name} {value:g}" for name, value in card["scores"].items() if isinstance(value, int | float))
    yield "", f"step {card['step']:,}" + (f", {scores}" if scores else "")
    if done := card["export"]:
        number = done["calibration_observations"]
        yield "", f"quantization {done['quantize']}" + (f", calibrated on {number} observations" if number else "")
    yield "", f"SHA-256 {card['sha256'][:16]}…, which the content matches"


def print_profile(result: Profile) -> None:
    """Prints latency, operators and memory."""
    threads = f"{result.threads} thread" + ("s" if result.threads > 1 else "")
    _print(
        [
            ("latency", f"{_us(result.mean_us)} ± {_us(result.std_us)} over {result.runs:,} calls, batch 1, {threads}"),
            ("", f"first {_us(result.first_us)}, from {_us(result.min_us)} to {_us(result.max_us)}"),
            ("load", _us(result.load_us)),
            ("memory", f"{result.model_bytes / 1e6:.1f} MB for the model, peak {result.peak_bytes / 1e6:.1f} MB"),
        ]
    )
    terminal.out.print()
    rows = [(str(e["index"]), e["operator"], f"{e['us']:.2f}", f"{e['share']:.1%}") for e in result.operators]
    terminal.table(("#", "operator", "us", "share"), rows, right=(0, 2, 3))
    terminal.out.print()
    kinds = [(e["operator"], str(e["count"]), f"{e['us']:.2f}", f"{e['share']:.1%}") for e in result.by_type]
    terminal.table(("type", "count", "us", "share"), kinds, right=(1, 2, 3))
    terminal.out.print(
        "\nan operator's time is that of the network up to it less that of the network before it", style="dim"
    )


def _us(microseconds: float) -> str:
    return f"{microseconds / 1000:.2f} ms" if microseconds >= 1000 else f"{microseconds:.1f} us"


def _print(rows: Iterable[Row]) -> None:
    shown = list(rows)
    width = max(len(label) for label, _ in shown) + 2
    for label, text in shown:
        terminal.out.print(f"{label:<{width}}{text}")
