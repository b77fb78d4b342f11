"""Translation: an LSTM reads a sentence, another one writes it in another language, looking back as it goes.

Sources: see arena.components.translation.network. Frozen vocabularies, batches by length, padding masks, and clipped
gradients are the cookbook's, which uses github.com/tensorflow/nmt.

Deliberate deviations: Adam, label smoothing (Szegedy et al. 2016) and dropout in place of plain gradient descent; an
unknown word of a translation is the one that is looked at in the sentence (Luong et al. 2015, "Addressing the rare word
problem in neural machine translation"; Jean et al. 2015).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from arena.components.base import SILENT, Watch
from arena.components.neural import NeuralComponent
from arena.components.translation import batches, fitting, network, scores, words
from arena.components.translation.corpora import Corpus
from arena.components.translation.inference import Network
from arena.components.translation.network import Attention, Sizes
from arena.components.translation.settings import TranslatorSettings
from arena.components.translation.translating import Interpreter, Manner, Translation
from arena.components.translation.vocabulary import Vocabulary
from arena.errors import DamagedFile, InvalidValue

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split

GREEDY = Manner("greedy")
_PLAIN = "plain/"  # before the names of the weights of the network without attention
_SIDES = ("source", "target")
_HELD_OUT = 20  # one of so many pairs judges the training, where nothing else is given
_NUM_SHOWN = 3


class Translator(NeuralComponent):
    """Learns from a Corpus, and translates sentences.

    The network without attention, if there is one, is part of it: a comparison means something only with the same
    vocabularies, settings and training.

    Attributes:
      vocabularies_: of source and target.
    """

    name = "translator"
    Settings = TranslatorSettings
    ADJUSTABLE = ("decoder", "beam_width", "length_penalty", "temperature", "seed")
    datasets = ("multi30k", "iwslt15")

    vocabularies_: tuple[Vocabulary, Vocabulary]

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Learns from a Corpus; `validation`, another one, tells which epoch is kept: that of the best BLEU.

        Raises InvalidValue where a language is missing, or no pair is short enough.
        """
        settings = self.settings
        pairs, dev = _corpora(data, None if validation is None else validation.inputs)
        self._texts(dev)  # says so now where a language is missing
        read = [[words.split(text, settings.tokeniser) for text in side] for side in self._texts(pairs)]
        languages = (settings.source, settings.target)
        source, target = (self._vocabulary(pairs, *side) for side in zip(languages, read, strict=True))
        self.vocabularies_ = (source, target)
        self.shape_ = tuple(len(vocabulary) for vocabulary in self.vocabularies_)
        encoded = [[known.encode(text) for text in side] for known, side in zip(self.vocabularies_, read, strict=True)]
        if not any(0 < max(len(s), len(t)) <= settings.max_length for s, t in zip(*encoded, strict=True)):
            raise InvalidValue(f"no pair of sentences has at most {settings.max_length} words: raise max_length")
        ordered = batches.bucketed(encoded[0], encoded[1], settings.batch_size, settings.max_length, settings.seed)
        self.weights_ = {}
        kinds = [settings.attention, *(["none"] if settings.compare and settings.attention != "none" else [])]
        for number, kind in enumerate(kinds):
            self._learn(kind, ordered, dev, watch, (number, len(kinds)))
        return self

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Returns the translations of sentences. Raises InvalidValue where one has no words that are known."""
        return [found.text for found in self.translations(texts)]

    def translations(self, texts: Sequence[str]) -> list[Translation]:
        """Returns the translations of sentences with their words and attention; see translate()."""
        interpreter, settings = self.interpreter(), self.settings
        interpreter.check(texts)
        manner = Manner(*(getattr(settings, name) for name in Manner._fields))
        return interpreter.translate(texts, manner)

    def interpreter(self, attention: Attention | None = None) -> Interpreter:
        """Returns what translates, with the attention of the settings or, for "none", without."""
        self.check_fitted()
        kind = attention or self.settings.attention
        prefix = self._prefix(kind)
        weights = {name.removeprefix(prefix): array for name, array in self.weights_.items() if name.startswith(prefix)}
        return Interpreter(Network(self._sizes(kind), weights), *self.vocabularies_, self.settings.tokeniser)

    def score(self, data: Any) -> float:
        """Returns the BLEU of greedy translations of a Corpus."""
        sources, references = self._texts(data)
        found = self.interpreter().translate(sources, GREEDY)
        return float(scores.bleu([one.text for one in found], references).value)

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns bleu (greedy) and bleu_beam, bleu_without_attention, each with _low and _high; and perplexity."""
        sources, references = self._texts(dataset.test.inputs)
        own, seed = self.interpreter(), self.settings.seed
        beam = Manner("beam", self.settings.beam_width, self.settings.length_penalty)
        sides = {"bleu": (own, GREEDY), "bleu_beam": (own, beam)}
        if self._is_compared():
            sides["bleu_without_attention"] = (self.interpreter("none"), GREEDY)
        metrics: dict[str, float] = {}
        for name, (interpreter, manner) in sides.items():
            found = [one.text for one in interpreter.translate(sources, manner)]
            value, low, high = map(float, scores.bleu(found, references, seed))
            metrics |= {name: value, f"{name}_low": low, f"{name}_high": high}
        metrics["perplexity"] = own.perplexity(sources, references)
        if self._is_compared():
            metrics["perplexity_without_attention"] = self.interpreter("none").perplexity(sources, references)
        return metrics

    def run(self, source: str, out: Path | None, data: str | None = None) -> str:
        """Translates a sentence, or a file of them: see arena.components.translation.command."""
        from arena.components.translation import command

        return command.run(self, source, out)

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns where translations of test sentences looked, and BLEU by the length of sentences."""
        from arena.components.translation import charts

        sources, references = self._texts(dataset.test.inputs)
        sides = {"with attention" if self.settings.attention != "none" else "without attention": self.interpreter()}
        if self._is_compared():
            sides["without attention"] = self.interpreter("none")
        found = {name: [one.text for one in side.translate(sources, GREEDY)] for name, side in sides.items()}
        shown = {"lengths": charts.bleu_by_length(sources, references, found)}
        return shown | ({"attention": self.show(sources)} if self.settings.attention != "none" else {})

    def show(self, data: Any) -> np.ndarray:
        """Returns a picture of where the translations of the first sentences looked."""
        from arena.components.translation import charts

        if self.settings.attention == "none":
            raise InvalidValue("a translator without attention looks nowhere: there is no picture of it")
        return charts.heat_maps(self.interpreter().translate(data[:_NUM_SHOWN], GREEDY))

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the weights by name, and the vocabularies as bytes."""
        found = {f"{side}_words": known.to_array() for side, known in zip(_SIDES, self.vocabularies_, strict=True)}
        return super().arrays() | found

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes what arrays() returned."""
        rest = dict(arrays)
        try:
            source, target = (Vocabulary.from_array(rest.pop(f"{side}_words")) for side in _SIDES)
        except KeyError as error:
            raise DamagedFile(f"the weights of {self.name} lack {error}") from error
        self.vocabularies_ = (source, target)
        super().restore(rest)

    def build(self, attention: Attention | None = None) -> Any:
        """Returns the Keras model: see arena.components.translation.network."""
        sizes = self._sizes(attention or self.settings.attention)
        return network.build(sizes, self.settings.dropout, self.settings.seed)

    def exported(self) -> Any:
        """Returns the Keras model of one step of the decoder, for sentences of up to max_length words."""
        return self.filled(network.build_step(self._sizes(self.settings.attention), self.settings.max_length))

    def _learn(
        self, kind: Attention, ordered: batches.Batches, dev: Corpus, watch: Watch, place: tuple[int, int]
    ) -> None:
        """Trains a network and keeps the weights of its best epoch."""
        settings, (number, num_kinds) = self.settings, place
        label = "" if number == 0 else "_without_attention"
        model = self.build(kind)
        best = -1.0
        plan = fitting.Plan(settings.epochs, settings.learning_rate, settings.clip_norm, settings.label_smoothing)
        for progress in fitting.steps(model, ordered, plan):
            values = {"loss": progress.loss, "words_per_s": progress.words_per_s}
            if progress.ends_epoch:
                judged = self._judge(kind, model, dev, best)
                values |= judged
                if judged["dev_bleu"] > best:
                    best = judged["dev_bleu"]
                    watch.keep(self)
                if kind != "none":
                    watch.picture("attention", lambda: self.show(dev.text(settings.source)), progress.step)
            named = {f"{name}{label}": value for name, value in values.items()}
            watch.step(number * progress.num_steps + progress.step, num_kinds * progress.num_steps, **named)

    def _judge(self, kind: Attention, model: Any, dev: Corpus, best: float) -> dict[str, float]:
        """Returns what the network is worth on dev; keeps its weights where that is more than the best."""
        before = dict(self.weights_)
        self.weights_ |= {f"{self._prefix(kind)}{name}": array for name, array in network.weights_of(model).items()}
        sources, references = self._texts(dev)
        interpreter = self.interpreter(kind)
        found = [one.text for one in interpreter.translate(sources, GREEDY)]
        measured = {
            "dev_bleu": float(scores.bleu(found, references).value),
            "dev_perplexity": interpreter.perplexity(sources, references),
        }
        if measured["dev_bleu"] <= best:
            self.weights_ = before
        return measured

    def _texts(self, corpus: Any) -> tuple[Sequence[str], Sequence[str]]:
        if not isinstance(corpus, Corpus):
            raise InvalidValue(f"{self.name} takes a Corpus of aligned texts, given {type(corpus).__name__}")
        return corpus.text(self.settings.source), corpus.text(self.settings.target)

    def _vocabulary(self, corpus: Corpus, language: str, sentences: Sequence[Sequence[str]]) -> Vocabulary:
        if language in corpus.vocabularies:
            return Vocabulary(corpus.vocabularies[language])
        return Vocabulary.of(sentences, self.settings.max_words, self.settings.min_count)

    def _sizes(self, attention: Attention) -> Sizes:
        names = ("embedding_size", "num_units", "num_layers", "bidirectional")
        num_source, num_target = self.shape_
        return Sizes(
            num_source, num_target, **{name: getattr(self.settings, name) for name in names}, attention=attention
        )

    def _prefix(self, kind: Attention) -> str:
        return _PLAIN if kind != self.settings.attention else ""

    def _is_compared(self) -> bool:
        return any(name.startswith(_PLAIN) for name in self.weights_)


def _corpora(data: Any, dev: Any) -> tuple[Corpus, Corpus]:
    """Returns what is learned from, and what judges it: a twentieth of the pairs where nothing else is given."""
    for corpus in (data,) if dev is None else (data, dev):
        if not isinstance(corpus, Corpus):
            raise InvalidValue(f"a translator learns from a Corpus of aligned texts, given {type(corpus).__name__}")
    if dev is not None:
        return data, dev
    num = len(data) // _HELD_OUT
    return (data[: len(data) - num], data[len(data) - num :]) if num else (data, data)
