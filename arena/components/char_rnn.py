"""A network that writes a text on: stacked LSTMs over characters.

Sources: Graves (2013), "Generating sequences with recurrent neural networks"; Karpathy (2015), "The unreasonable
effectiveness of recurrent neural networks", for truncated backpropagation with carried state; Zaremba, Sutskever &
Vinyals (2014), "Recurrent neural network regularization", for dropout between layers only. Semi-redundant sequences,
which overlap, and of which only the character after the last is learned, are the cookbook's.

Deliberate deviation: a text is learned from with carried state unless `method=sequences` is set: every character is
then a target once in an epoch, where overlapping sequences of 25 read 25 / 3 times as much for a third of the targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pydantic

from arena import files
from arena.components import base, neural, recurrent
from arena.components.activations import softmax
from arena.components.base import SILENT, Watch
from arena.components.neural import NeuralComponent
from arena.components.texts import Alphabet
from arena.errors import DamagedFile, InvalidValue
from arena.seeding import derived_seed, generator

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split

_JUDGEMENTS = 4  # in an epoch
_JUDGED = 100_000  # characters
_STREAMS, _WARM_UP = 128, 256
_ALPHABET = "alphabet"


class CharRNNSettings(base.Settings):
    """Settings of the network and its training; the last two say how it writes.

    Attributes:
      num_units: of each LSTM.
      num_layers: LSTMs on one another.
      embedding_size: numbers that stand for a character.
      dropout: share of a layer's outputs that the next one does not see while it learns.
      method: carried, truncated backpropagation with the state carried on; or sequences, that overlap.
      unroll: characters of a sequence, through which errors go back.
      stride: characters from one overlapping sequence to the next.
      batch_size: sequences side by side.
      epochs: passes over the text.
      learning_rate: of Adam; it falls to zero along half a cosine.
      clip_norm: the largest norm of all gradients together.
      length: characters to write.
      temperature: below 1 what is likely becomes likelier; 0 always takes the likeliest.
    """

    num_units: pydantic.PositiveInt = 512
    num_layers: int = pydantic.Field(2, ge=1, le=8)
    embedding_size: pydantic.PositiveInt = 64
    dropout: float = pydantic.Field(0.2, ge=0, lt=1)
    method: Literal["carried", "sequences"] = "carried"
    unroll: pydantic.PositiveInt = 64
    stride: pydantic.PositiveInt = 3
    batch_size: pydantic.PositiveInt = 64
    epochs: pydantic.PositiveInt = 8
    learning_rate: pydantic.PositiveFloat = 2e-3
    clip_norm: pydantic.PositiveFloat = 1.0
    length: pydantic.NonNegativeInt = 500
    temperature: float = pydantic.Field(0.7, ge=0)


class CharRNN(NeuralComponent):
    """Learns from a text, a str; characters that are not in it are unknown to it, and left out of what it reads.

    Attributes:
      alphabet_: the characters that it knows.
    """

    name = "char-rnn"
    Settings = CharRNNSettings
    ADJUSTABLE = ("length", "temperature", "seed")
    datasets = ("shakespeare", "tinyshakespeare")

    alphabet_: Alphabet

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Learns from a text; the weights that are best on the validation text are kept, without one the last."""
        from arena.components import character_training

        text = _checked(data)
        self.alphabet_ = Alphabet.of(text)
        self.shape_ = (len(self.alphabet_),)
        numbers = self.alphabet_.encode(text)
        judged = None if validation is None else self._known(_checked(validation.inputs)[:_JUDGED])
        plan = character_training.Plan(**self.settings.model_dump(include=set(character_training.Plan._fields)))
        model = self.build()
        learner = character_training.Learner(model, numbers, plan)
        best, due, per_epoch = np.inf, 1 / _JUDGEMENTS, len(character_training.starts(plan, len(numbers), 0))
        for progress in learner.steps():
            metrics = {"loss": progress.loss, "characters_per_s": progress.characters_per_s}
            if judged is not None and progress.step / per_epoch >= due:
                due += 1 / _JUDGEMENTS
                metrics["nats_per_char"] = learner.judge(judged)
                if metrics["nats_per_char"] < best:
                    best = metrics["nats_per_char"]
                    self.take(model)
                    watch.keep(self)
            watch.step(progress.step, plan.epochs * per_epoch, **metrics)
        if judged is None:
            self.take(model)
        return self

    def generate(self, text: str, length: int | None = None, temperature: float | None = None) -> str:
        """Returns the characters that are written on after a text; how many and how daring is in the settings.

        The text is read as a paragraph that begins: it knows little of texts that have no beginning.
        """
        self._known(text)
        numbers = self.alphabet_.encode(f"\n\n{text}")
        length = self.settings.length if length is None else length
        temperature = self.settings.temperature if temperature is None else temperature
        rng = generator(self.settings.seed, "char-rnn text")
        logits, state = self._read(numbers[:, None], self._no_state(1))
        written = []
        for _ in range(length):
            written.append(drawn(logits[0], temperature, rng.random()))
            logits, state = self.step(np.array(written[-1:]), state)
        return self.alphabet_.decode(np.array(written, np.int32))

    def step(self, characters: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns logits [N, V] of what follows characters, [N] their numbers, and the state after them.

        A state is [N, 2LU]: hidden and cell of every layer, side by side; all 0 where a text begins.
        """
        x, after = None, []
        for k, before in enumerate(np.split(state, self.settings.num_layers, -1)):
            name = f"lstm_{k}/lstm_cell"
            if x is None:
                projected = self._table[characters]
            else:
                projected = x @ self.weights_[f"{name}/kernel"] + self.weights_[f"{name}/bias"]
            after.append(recurrent.lstm_step(projected, before, self.weights_[f"{name}/recurrent_kernel"]))
            x = after[-1][:, : self.settings.num_units]
        logits = x @ self.weights_["output/kernel"] + self.weights_["output/bias"]
        return logits, np.concatenate(after, -1)

    def nats_per_char(self, text: str) -> float:
        """Returns the mean cross-entropy of a text's known characters, each after all that went before it.

        Long texts are read in 128 parts side by side; each part begins with the state after the 256 characters before.
        """
        numbers = self._known(text)
        num = len(numbers) - 1
        if num < 1:
            raise InvalidValue("a text of one known character has nothing to predict")
        rows = max(1, min(_STREAMS, num // _WARM_UP))
        share = -(-num // rows)
        begins = np.arange(rows) * share
        state, total = self._no_state(rows), 0.0
        for offset in range(-_WARM_UP if rows > 1 else 0, share):
            places = begins + offset
            is_there = (places >= 0) & (places < num)
            logits, after = self.step(numbers[np.clip(places, 0, num)], state)
            state = np.where((places >= 0)[:, None], after, state)
            if offset >= 0:
                targets = numbers[np.clip(places + 1, 0, num)]
                total += float(nats(logits, targets)[is_there].sum(dtype=np.float64))
        return total / num

    def score(self, data: Any) -> float:
        """Returns minus the nats per character of a text."""
        return -self.nats_per_char(_checked(data))

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns nats_per_char and bits_per_char of the test part, and unknown_share: of its characters, left out."""
        text = _checked(dataset.test.inputs)
        found = self.nats_per_char(text)
        unknown = 1 - len(self._known(text)) / len(text)
        return {"nats_per_char": found, "bits_per_char": found / float(np.log(2)), "unknown_share": unknown}

    def run(self, source: str, out: Path | None, data: str | None = None) -> str:
        """Returns a text and what is written on after it, or writes both to a .txt file."""
        if out is not None and out.suffix != ".txt":
            raise InvalidValue(f"--out must end in .txt; given {str(out)!r}")
        text = source + self.generate(source)
        if out is None:
            return text
        out.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(out, f"{text}\n")
        return f"{len(text)} characters are in {out}"

    def build(self) -> Any:
        """Returns the Keras model "characters" [B, T] int32 to "logits" [B, T, V]; every sequence begins a text."""
        neural.tensorflow()
        import keras

        settings = self.settings
        inputs = keras.Input((None,), dtype="int32", name="characters")
        start = keras.initializers.RandomUniform(-0.1, 0.1, self._derived("embedding"))
        x = keras.layers.Embedding(self.shape_[0], settings.embedding_size, start, name="embedding")(inputs)
        for k in range(settings.num_layers):
            x, *_ = self._lstm(k)(x)
            x = keras.layers.Dropout(settings.dropout, seed=self._derived(f"dropout {k}"))(x)
        return keras.Model(inputs, {"logits": self._output()(x)}, name="char_rnn")

    def exported(self) -> Any:
        """Returns the Keras model of one step: "character" [N] int32 and "state" [N, 2LU] to "logits" and "next_state".

        See step().
        """
        neural.tensorflow()
        import keras

        settings, ops = self.settings, keras.ops
        units = settings.num_units
        character = keras.Input((), dtype="int32", name="character")
        state = keras.Input((2 * settings.num_layers * units,), name="state")
        x = keras.layers.Embedding(self.shape_[0], settings.embedding_size, name="embedding")(character)
        after = []
        for k in range(settings.num_layers):
            hidden, cell = (state[:, j * units : (j + 1) * units] for j in (2 * k, 2 * k + 1))
            x, cell = recurrent.step_of(self._lstm(k), x, hidden, cell)
            after += [x, cell]
        outputs = {"logits": self._output()(x), "next_state": ops.concatenate(after, -1)}
        return self.filled(keras.Model([character, state], outputs, name="char_rnn_step"))

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the weights by name, and the alphabet as code points."""
        points = np.array([ord(one) for one in self.alphabet_.characters], np.uint32)
        return super().arrays() | {_ALPHABET: points}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes what arrays() returned. Raises DamagedFile where it does not belong together."""
        points = arrays.get(_ALPHABET)
        if points is None or not len(points) or points.max() > 0x10FFFF:
            raise DamagedFile(f"the weights of {self.name} lack the characters that they know")
        self.alphabet_ = Alphabet("".join(map(chr, points)))
        super().restore({name: array for name, array in arrays.items() if name != _ALPHABET})

    def take(self, model: Any) -> None:
        """Keeps what a model has learned."""
        self.weights_ = {variable.path: np.asarray(variable.numpy()) for variable in model.trainable_variables}
        self.__dict__.pop("_projected", None)

    @property
    def _table(self) -> np.ndarray:
        """[V, 4U]: what each character adds to the gates of the first layer."""
        if "_projected" not in self.__dict__:
            weights, name = self.weights_, "lstm_0/lstm_cell"
            self._projected = weights["embedding/embeddings"] @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]
        table: np.ndarray = self._projected
        return table

    def _read(self, numbers: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits = np.zeros(0)
        for row in numbers:
            logits, state = self.step(row, state)
        return logits, state

    def _no_state(self, rows: int) -> np.ndarray:
        return np.zeros((rows, 2 * self.settings.num_layers * self.settings.num_units), np.float32)

    def _known(self, text: str) -> np.ndarray:
        self.check_fitted()
        numbers = self.alphabet_.encode(text)
        if not len(numbers):
            told = f"none of the characters of {text[:20]!r} is known" if text else "there is no text to go on from"
            raise InvalidValue(f"{told}: give some of {self.alphabet_.characters[:80]!r}")
        return numbers

    def _lstm(self, number: int) -> Any:
        return recurrent.lstm_layer(self.settings.num_units, f"lstm_{number}", self.settings.seed)

    def _output(self) -> Any:
        import keras

        start = keras.initializers.GlorotUniform(self._derived("output"))
        return keras.layers.Dense(self.shape_[0], kernel_initializer=start, name="output")

    def _derived(self, name: str) -> int:
        return derived_seed(self.settings.seed, f"char-rnn {name}")


def drawn(logits: np.ndarray, temperature: float, share: float) -> int:
    """Returns the number of one of V possibilities, logits [V]: the one at `share`, 0 to 1, of their probability."""
    if not temperature:
        return int(logits.argmax())
    chances = np.cumsum(softmax(logits.astype(np.float64) / temperature))
    return min(int(np.searchsorted(chances, share * chances[-1], side="right")), len(logits) - 1)


def nats(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns [N]: the cross-entropy of logits [N, V] with the targets' numbers [N]."""
    highest = logits.max(-1)
    chosen = logits[np.arange(len(targets)), targets]
    cross_entropy: np.ndarray = highest + np.log(np.exp(logits - highest[:, None]).sum(-1)) - chosen
    return cross_entropy


def _checked(data: Any) -> str:
    if not isinstance(data, str) or len(data) < 2:
        given = type(data).__name__ if not isinstance(data, str) else f"{len(data)} characters"
        raise InvalidValue(f"char-rnn takes a text of at least two characters, given {given}")
    return data
