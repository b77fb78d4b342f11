"""The four mappings between single inputs and sequences, as Keras models to compile and fit.

Source: Karpathy (2015), "The unreasonable effectiveness of recurrent neural networks", whose first figure names them.
One whose output sequence begins after the input's end is arena.components.translator, or the forecaster.
"""

from __future__ import annotations

from typing import Any

from arena.components import neural, recurrent
from arena.seeding import derived_seed


def one_to_one(num_inputs: int, num_outputs: int, *, num_units: int = 64, seed: int = 0) -> Any:
    """Returns the model [B, num_inputs] to [B, num_outputs]: no sequence; a hidden layer of tanh units."""
    keras = _keras()
    inputs = keras.Input((num_inputs,), name="inputs")
    start = keras.initializers.GlorotUniform(derived_seed(seed, "sequence hidden"))
    hidden = keras.layers.Dense(num_units, "tanh", kernel_initializer=start, name="hidden")(inputs)
    return keras.Model(inputs, _output(num_outputs, seed)(hidden), name="one_to_one")


def one_to_many(num_inputs: int, num_outputs: int, length: int, *, num_units: int = 64, seed: int = 0) -> Any:
    """Returns the model [B, num_inputs] to [B, length, num_outputs]: an image to the words below it, say.

    An LSTM is given the input at every step.
    """
    keras = _keras()
    inputs = keras.Input((num_inputs,), name="inputs")
    repeated = keras.layers.RepeatVector(length, name="repeated")(inputs)
    hidden, _, _ = recurrent.lstm_layer(num_units, "lstm", seed)(repeated)
    return keras.Model(inputs, _output(num_outputs, seed)(hidden), name="one_to_many")


def many_to_one(num_inputs: int, num_outputs: int, *, num_units: int = 64, seed: int = 0) -> Any:
    """Returns the model [B, T, num_inputs], T free, to [B, num_outputs]: a sentence to its mood, say.

    The output is made of an LSTM's last state.
    """
    keras = _keras()
    inputs = keras.Input((None, num_inputs), name="inputs")
    _, last, _ = recurrent.lstm_layer(num_units, "lstm", seed)(inputs)
    return keras.Model(inputs, _output(num_outputs, seed)(last), name="many_to_one")


def many_to_many(num_inputs: int, num_outputs: int, *, num_units: int = 64, seed: int = 0) -> Any:
    """Returns the model [B, T, num_inputs], T free, to [B, T, num_outputs]: each frame of a film to its label, say.

    The output of a step is made of that step's state: it knows of what came before, not of what comes after.
    """
    keras = _keras()
    inputs = keras.Input((None, num_inputs), name="inputs")
    hidden, _, _ = recurrent.lstm_layer(num_units, "lstm", seed)(inputs)
    return keras.Model(inputs, _output(num_outputs, seed)(hidden), name="many_to_many")


def _keras() -> Any:
    neural.tensorflow()
    import keras

    return keras


def _output(num_outputs: int, seed: int) -> Any:
    keras = _keras()
    start = keras.initializers.GlorotUniform(derived_seed(seed, "sequence output"))
    return keras.layers.Dense(num_outputs, kernel_initializer=start, name="outputs")
