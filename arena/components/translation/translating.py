"""From texts to texts, by a trained network and its vocabularies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from arena import seeding
from arena.components.translation import decoding, scores, words
from arena.components.translation.decoding import Decoded
from arena.components.translation.inference import Network
from arena.components.translation.vocabulary import UNKNOWN, Vocabulary
from arena.components.translation.words import Tokeniser
from arena.errors import InvalidValue

Decoder = Literal["greedy", "sample", "beam"]
_BATCH = 64  # sentences translated at a time
_SHOWN = 60  # letters of a text that are told in a message


class Manner(NamedTuple):
    """How words are chosen: see TranslatorSettings."""

    decoder: Decoder
    beam_width: int = 5
    length_penalty: float = 1.0
    temperature: float = 1.0
    seed: int = 0


class Translation(NamedTuple):
    """A translated text.

    Attributes:
      text: the translation.
      source: words that were read.
      target: words that were written.
      attention: [len(target), len(source)], 0 without attention.
    """

    text: str
    source: list[str]
    target: list[str]
    attention: np.ndarray


class Interpreter(NamedTuple):
    """What translates.

    Attributes:
      network: a trained one.
      source: its vocabulary.
      target: its vocabulary.
      tokeniser: how words are told apart.
    """

    network: Network
    source: Vocabulary
    target: Vocabulary
    tokeniser: Tokeniser

    def check(self, texts: Sequence[str]) -> None:
        """Raises InvalidValue where a text has no words, or none that is known."""
        if not texts:
            raise InvalidValue("there is no text to translate")
        for number, text in enumerate(texts, 1):
            shown = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
            if not text.strip():
                raise InvalidValue(f"there is nothing to translate in sentence {number}, {shown}")
            if set(self.source.encode(words.split(text, self.tokeniser))) == {UNKNOWN}:
                num = len(self.source)
                raise InvalidValue(f"no word of sentence {number}, {shown}, is among the {num:,} that are known")

    def translate(self, texts: Sequence[str], manner: Manner) -> list[Translation]:
        """Returns the translations of sentences, whether their words are known or not."""
        read = [words.split(text, self.tokeniser) or [""] for text in texts]
        order = sorted(range(len(read)), key=lambda k: len(read[k]))  # batches of like length
        seeds = seeding.generator(manner.seed, "translator samples").integers(2**31, size=len(read))
        found: dict[int, Translation] = {}
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            for k, decoded in zip(chosen, self.decode([read[k] for k in chosen], manner, seeds[chosen]), strict=True):
                found[k] = self.put_together(texts[k], read[k], decoded)
        return [found[k] for k in range(len(read))]

    def perplexity(self, texts: Sequence[str], references: Sequence[str]) -> float:
        """Returns the perplexity of a word of the references, given the texts; unknown words count as one."""
        targets = [self.target.encode(words.split(text, self.tokeniser)) for text in references]
        sources = [self.source.encode(words.split(text, self.tokeniser) or [""]) for text in texts]
        order = sorted(range(len(sources)), key=lambda k: len(targets[k]))
        found = [
            self.network.log_likelihoods([sources[k] for k in chosen], [targets[k] for k in chosen])
            for chosen in (order[start : start + _BATCH] for start in range(0, len(order), _BATCH))
        ]
        return scores.perplexity(np.concatenate(found), targets)

    def decode(self, sentences: Sequence[Sequence[str]], manner: Manner, seeds: np.ndarray) -> list[Decoded]:
        state, num = self.network.encode([self.source.encode(sentence) for sentence in sentences]), len(sentences)
        max_words = 2 * state.mask.shape[1] + 10
        if manner.decoder == "greedy":
            return decoding.greedy(self.network.step, state, num, max_words)
        if manner.decoder == "sample":
            temperature = manner.temperature
            return decoding.sample(self.network.step, state, num, max_words, temperature=temperature, seeds=seeds)
        width = min(manner.beam_width, len(self.target))
        return decoding.beam(
            self.network.step, state, num, max_words, width=width, length_penalty=manner.length_penalty
        )

    def put_together(self, text: str, source: list[str], decoded: Decoded) -> Translation:
        """Returns the translation; an unknown word is the one that was looked at, or left out without attention."""
        attention = decoded.attention[:, : len(source)]
        target, rows = [], []
        for row, token in enumerate(decoded.tokens):
            if token != UNKNOWN:
                target.append(self.target.words[token])
            elif attention[row].any():
                target.append(source[int(attention[row].argmax())])
            else:
                continue
            rows.append(row)
        joined = words.join(target, self.tokeniser)
        if self.tokeniser == "words":
            joined = words.capitalised(joined, text)
        return Translation(joined, source, target, attention[rows])
