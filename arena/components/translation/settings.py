"""What can be set of a translator."""

from __future__ import annotations

import pydantic

from arena.components import base
from arena.components.translation.network import Attention
from arena.components.translation.translating import Decoder
from arena.components.translation.words import Tokeniser


class TranslatorSettings(base.Settings):
    """Settings of the translator.

    Attributes:
      source: the language that is read, "en" for one.
      target: the language that is written.
      tokeniser: words tells words and marks apart; spaces takes texts whose words are told apart already.
      max_words: words in either vocabulary at most, the commonest; vocabularies that a set brings are taken whole.
      min_count: how often a word must occur to be in it.
      attention: none, luong, scaled_luong or bahdanau.
      compare: trains the same network without attention too, which eval sets beside it.
      embedding_size: numbers that stand for a word.
      num_units: of each LSTM.
      num_layers: of the encoder, and of the decoder.
      bidirectional: the encoder reads in both directions, with half of the units each.
      dropout: share of the numbers left out at random, of embeddings, between layers, and before the logits.
      label_smoothing: the share of a word's probability that is spread over all words.
      epochs: passes over the pairs, of each network.
      batch_size: pairs that make one step.
      learning_rate: of Adam, at first; it falls to zero along half a cosine.
      clip_norm: the largest norm of the gradients.
      max_length: pairs with a longer sentence are not learned from.
      decoder: how run and translate() write: greedy, sample or beam.
      beam_width: sentences that are followed at a time.
      length_penalty: the larger, the longer are the sentences that a beam prefers.
      temperature: of sampling.
    """

    source: str = "en"
    target: str = "fr"
    tokeniser: Tokeniser = "words"
    max_words: pydantic.PositiveInt = 10_000
    min_count: pydantic.PositiveInt = 3
    attention: Attention = "scaled_luong"
    compare: bool = True
    embedding_size: pydantic.PositiveInt = 256
    num_units: int = pydantic.Field(256, ge=2, multiple_of=2)
    num_layers: pydantic.PositiveInt = 1
    bidirectional: bool = True
    dropout: float = pydantic.Field(0.2, ge=0, lt=1)
    label_smoothing: float = pydantic.Field(0.1, ge=0, lt=1)
    epochs: pydantic.PositiveInt = 7
    batch_size: pydantic.PositiveInt = 64
    learning_rate: pydantic.PositiveFloat = 2e-3
    clip_norm: pydantic.PositiveFloat = 1.0
    max_length: pydantic.PositiveInt = 50
    decoder: Decoder = "beam"
    beam_width: pydantic.PositiveInt = 5
    length_penalty: pydantic.NonNegativeFloat = 1.0
    temperature: pydantic.PositiveFloat = 1.0
