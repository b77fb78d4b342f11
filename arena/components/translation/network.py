"""The network for training and export, in Keras: an LSTM reads the sentence, another one writes its translation.

Sources: Sutskever, Vinyals & Le (2014), "Sequence to sequence learning with neural networks"; Luong, Pham & Manning
(2015), "Effective approaches to attention-based neural machine translation", whose scores and attentional vector are
used with all kinds of attention; Bahdanau, Cho & Bengio (2015), "Neural machine translation by jointly learning to
align and translate", for the additive score.

Deliberate deviations: the attentional vector is not fed back into the decoder, so that all steps of a known translation
are attended at once; it has the size of an embedding, and the logits are its products with the target words' embeddings
(Press & Wolf 2017). Without attention that vector is made of the decoder's state alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from arena import seeding
from arena.components import neural, recurrent
from arena.components.translation.vocabulary import END

Attention = Literal["none", "luong", "scaled_luong", "bahdanau"]


@dataclass(frozen=True)
class Sizes:
    """What determines a network.

    Attributes:
      num_source_words: of the source's vocabulary.
      num_target_words: of the target's.
      embedding_size: numbers that stand for a word.
      num_units: of each LSTM; of a bidirectional encoder, half of them for each direction.
      num_layers: of the encoder, and of the decoder.
      bidirectional: the encoder reads forwards and backwards.
      attention: how states of the decoder and of the encoder are compared.
    """

    num_source_words: int
    num_target_words: int
    embedding_size: int
    num_units: int
    num_layers: int
    bidirectional: bool
    attention: Attention


def build(sizes: Sizes, dropout: float, seed: int) -> Any:
    """Returns the Keras model "source" [B, T] and "target" [B, S], words' numbers, to "logits" and "attention".

    Sentences are filled up with END; targets begin with START. Logits [B, S, V] of what follows each target word;
    attention [B, S, T], all 0 where there is none.
    """
    neural.tensorflow()
    import keras

    layers = _Layers(sizes, dropout, seed)
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    mask = keras.ops.not_equal(source, END)
    memory, states = layers.dropped(layers.embed("source", sizes.num_source_words)(source)), []
    for number in range(sizes.num_layers):
        memory, state = layers.encode(number, layers.dropped(memory) if number else memory, mask)
        states.append(state)
    embedding = layers.embed("target", sizes.num_target_words)
    hidden = layers.dropped(embedding(target))
    for number, state in enumerate(states):
        hidden, *_ = layers.decoder(number)(layers.dropped(hidden) if number else hidden, initial_state=state)
    outputs = layers.read_out(embedding, hidden, memory, mask)
    return keras.Model([source, target], outputs, name="translator")


def build_step(sizes: Sizes, length: int) -> Any:
    """Returns the Keras model of one decoder step: everything that it remembers is an input and an output.

    Inputs are "token" [B, 1] int32, "hidden" and "cell" [B, L, U], of all layers, and what the encoder made of the
    sentence: "memory" [B, length, U] and "mask" [B, length], 1 where there is a word. Outputs are "log_probs" [B, V],
    "attention" [B, length], "next_hidden" and "next_cell". The weights have the names of build()'s.
    """
    neural.tensorflow()
    import keras

    layers, ops = _Layers(sizes, 0.0, 0), keras.ops
    token = keras.Input((1,), dtype="int32", name="token")
    hidden, cell = (keras.Input((sizes.num_layers, sizes.num_units), name=name) for name in ("hidden", "cell"))
    memory = keras.Input((length, sizes.num_units), name="memory")
    mask = keras.Input((length,), name="mask")
    embedding = layers.embed("target", sizes.num_target_words)
    x, states = embedding(token)[:, 0], []
    for number in range(sizes.num_layers):
        states.append(recurrent.step_of(layers.decoder(number), x, hidden[:, number], cell[:, number]))
        x = states[-1][0]
    read = layers.read_out(embedding, x[:, None], memory, ops.greater(mask, 0.5))
    outputs = {
        "log_probs": ops.log_softmax(read["logits"][:, 0]),
        "attention": read["attention"][:, 0],
        "next_hidden": ops.stack([state[0] for state in states], axis=1),
        "next_cell": ops.stack([state[1] for state in states], axis=1),
    }
    return keras.Model([token, hidden, cell, memory, mask], outputs, name="translator_step")


class _Layers:
    """Makes the layers by name, so that the same weights fit the whole network and a step of it."""

    def __init__(self, sizes: Sizes, dropout: float, seed: int) -> None:
        self.sizes, self.dropout, self.seed = sizes, dropout, seed
        self.num_dropouts = 0

    def embed(self, side: str, num_words: int) -> Any:
        import keras

        size = self.sizes.embedding_size
        start = keras.initializers.RandomUniform(-0.1, 0.1, self.derived(f"{side} embedding"))
        return keras.layers.Embedding(num_words, size, start, name=f"{side}_embedding")

    def encode(self, number: int, x: Any, mask: Any) -> tuple[Any, list[Any]]:
        """Returns the states [B, T, U] of a layer, and the last ones of the recurrence, hidden and cell [B, U]."""
        import keras

        if not self.sizes.bidirectional:
            found, hidden, cell = self.lstm(f"encoder_{number}", self.sizes.num_units)(x, mask=mask)
            return found, [hidden, cell]
        half = self.sizes.num_units // 2
        forwards = self.lstm(f"encoder_{number}_forwards", half)(x, mask=mask)
        backwards = self.lstm(f"encoder_{number}_backwards", half, go_backwards=True)(x, mask=mask)
        found, *last = (keras.ops.concatenate(pair, -1) for pair in zip(forwards, backwards, strict=True))
        return found, last

    def decoder(self, number: int) -> Any:
        return self.lstm(f"decoder_{number}", self.sizes.num_units)

    def lstm(self, name: str, units: int, go_backwards: bool = False) -> Any:
        return recurrent.lstm_layer(units, name, self.seed, go_backwards=go_backwards)

    def dropped(self, x: Any) -> Any:
        import keras

        self.num_dropouts += 1
        return keras.layers.Dropout(self.dropout, seed=self.derived(f"dropout {self.num_dropouts}"))(x)

    def read_out(self, embedding: Any, hidden: Any, memory: Any, mask: Any) -> Mapping[str, Any]:
        """Returns logits and attention for the decoder's states [B, S, U]."""
        import keras

        kind, ops = self.sizes.attention, keras.ops
        if kind == "none":
            attention = 0 * ops.matmul(hidden, ops.transpose(memory, (0, 2, 1)))
        else:
            attention = _attention_layer(kind, self.derived("attention"))(hidden, memory, mask)
            hidden = ops.concatenate([ops.matmul(attention, memory), hidden], -1)
        start = keras.initializers.GlorotUniform(self.derived("readout"))
        size = self.sizes.embedding_size
        vector = keras.layers.Dense(size, "tanh", use_bias=False, kernel_initializer=start, name="readout")(hidden)
        return {"logits": _logits_layer(embedding)(self.dropped(vector)), "attention": attention}

    def derived(self, name: str) -> int:
        return seeding.derived_seed(self.seed, f"translator {name}")


def _attention_layer(kind: Attention, seed: int) -> Any:
    """Returns the layer from queries [B, S, U], memory [B, T, U] and a mask [B, T] to weights [B, S, T].

    The score of a query q and a state m is q.(W m) for luong, g q.(W m) for scaled_luong, v.tanh(Q q + W m) for
    bahdanau.
    """
    import keras

    ops = keras.ops

    class AttentionWeights(keras.Layer):  # type: ignore[misc]
        """The softmax of the scores, over the words that there are."""

        def build(self, queries_shape: Any, memory_shape: Any, is_word_shape: Any) -> None:
            size = memory_shape[-1]
            glorot = keras.initializers.GlorotUniform(seed)
            self.memory_kernel = self.add_weight((size, size), glorot, name="memory_kernel")
            if kind == "scaled_luong":
                self.scale = self.add_weight((1,), "ones", name="scale")
            if kind == "bahdanau":
                self.query_kernel = self.add_weight((size, size), glorot, name="query_kernel")
                self.vector = self.add_weight((size,), keras.initializers.RandomUniform(-0.1, 0.1, seed), name="vector")

        def call(self, queries: Any, memory: Any, is_word: Any) -> Any:
            keys = ops.matmul(memory, self.memory_kernel)
            if kind == "bahdanau":
                sums = ops.expand_dims(ops.matmul(queries, self.query_kernel), 2) + ops.expand_dims(keys, 1)
                scores = ops.sum(self.vector * ops.tanh(sums), -1)
            else:
                scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
                scores = self.scale * scores if kind == "scaled_luong" else scores
            return ops.softmax(scores + ops.expand_dims((ops.cast(is_word, "float32") - 1) * 1e9, 1))

    return AttentionWeights(name="attention")


def _logits_layer(embedding: Any) -> Any:
    """Returns the layer from vectors [B, S, E] to logits [B, S, V]: products with the words' embeddings, and a bias."""
    import keras

    class Logits(keras.Layer):  # type: ignore[misc]
        """Shares the words' embeddings."""

        def build(self, shape: Any) -> None:
            self.bias = self.add_weight((embedding.input_dim,), "zeros", name="bias")

        def call(self, vectors: Any) -> Any:
            return keras.ops.matmul(vectors, keras.ops.transpose(embedding.embeddings)) + self.bias

    return Logits(name="logits")


def weights_of(model: Any) -> dict[str, np.ndarray]:
    """Returns what a model has learned, by the variables' paths."""
    return {variable.path: np.asarray(variable.numpy()) for variable in model.trainable_variables}
