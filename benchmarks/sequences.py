"""How fast sequences are learned and written: words of translations, characters of texts.

    python benchmarks/sequences.py --data MULTI30K --text SHAKESPEARE [--units N] [--layers N] [--pairs N]

Words: of both languages, in the training of a translator of the cookbook's size, 2 x 128, with each kind of attention
(the cookbook tells of 3,370 to 3,690 a second on its own machine and sentences). Characters: in the training of a
char-rnn, and written one by one by its LiteRT export; both of 2 x 512, random weights in the second. Each is the median
of what is told every 20 steps. `share` is that of a core that was had: below 1, others were at work on it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, get_args

import common
import numpy as np

from arena.components import data
from arena.components.base import Component, Watch
from arena.components.char_rnn import CharRNN, drawn
from arena.components.data import Split
from arena.components.texts import Alphabet
from arena.components.translation.network import Attention
from arena.components.translator import Translator

NUM_CHARACTERS = 200_000
NUM_WRITTEN = 5_000


class Heard:
    """What a fit tells its monitor."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def scalars(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)

    def image(self, *arguments: Any) -> None:
        """Nothing is looked at."""


def fitted(component: Component, examples: Any, validation: Split | None, name: str) -> float:
    """Returns the median of a curve of a fit."""
    heard: Any = Heard()
    component.fit(examples, validation=validation, watch=Watch(monitor=heard))
    return float(np.median(heard.values[f"training/{name}"][1:]))  # the first has the compilation in it


def written(component: CharRNN) -> float:
    """Returns the characters a second of the exported step, drawn at temperature 1."""
    from ai_edge_litert.interpreter import Interpreter

    step = Interpreter(model_content=component.to_litert(), num_threads=1).get_signature_runner()
    rng, settings = np.random.default_rng(0), component.settings
    character, state = 0, np.zeros((1, 2 * settings.num_layers * settings.num_units), np.float32)
    start_s = time.perf_counter()
    for _ in range(NUM_WRITTEN):
        outputs = step(character=np.array([character], np.int32), state=state)
        character, state = drawn(outputs["logits"][0], 1.0, rng.random()), outputs["next_state"]
    return NUM_WRITTEN / (time.perf_counter() - start_s)


def measured(measure: Callable[[], float]) -> dict[str, float]:
    """Returns how many a second, and the share of a core that was had."""
    wall_s, core_s = time.perf_counter(), time.process_time()
    per_s = measure()
    share = (time.process_time() - core_s) / (time.perf_counter() - wall_s)
    return {"per_s": round(per_s), "share": round(share, 2)}


def main() -> None:
    """Measures all, prints what was found, and writes it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=None, help="the folder of Multi30k; downloaded where none is given")
    parser.add_argument("--text", default="tinyshakespeare", help="a text, or the folder of one")
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=12_000)
    args = parser.parse_args()
    corpus = data.load(args.data, Translator.datasets).train.inputs[: args.pairs]
    text = data.load(args.text, CharRNN.datasets).train.inputs[:NUM_CHARACTERS]
    result: dict[str, Any] = {"settings": {"units": args.units, "layers": args.layers, "pairs": args.pairs}}
    sizes = {"num_units": args.units, "num_layers": args.layers, "embedding_size": args.units, "bidirectional": False}
    for kind in get_args(Attention):
        translator = Translator(attention=kind, compare=False, epochs=1, **sizes)
        result[f"words learned, {kind}"] = measured(
            lambda one=translator: fitted(one, corpus, Split(corpus[:10]), "words_per_s")
        )
    learner = CharRNN(epochs=1)
    result["characters learned"] = measured(lambda: fitted(learner, text, None, "characters_per_s"))
    writer = CharRNN()
    writer.alphabet_ = Alphabet.of(text)
    writer.shape_ = (len(writer.alphabet_),)
    writer.take(writer.build())
    result["characters written"] = measured(lambda: written(writer))
    common.write("sequences", result)


if __name__ == "__main__":
    main()
