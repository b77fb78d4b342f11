"""The network of arena.components.translation.network in NumPy, for using it without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from arena.components import recurrent
from arena.components.translation.network import Sizes
from arena.components.translation.vocabulary import END, START, padded


class State(NamedTuple):
    """What the decoder remembers of N sentences; every array's first axis is theirs.

    Attributes:
      hidden: [N, L, U] of all layers.
      cell: [N, L, U].
      memory: [N, T, U], the encoder's states.
      keys: [N, T, U], what the decoder's states are compared with; [N, T, 0] without attention.
      mask: [N, T], true where there is a word.
    """

    hidden: np.ndarray
    cell: np.ndarray
    memory: np.ndarray
    keys: np.ndarray
    mask: np.ndarray

    def take(self, rows: np.ndarray) -> State:
        """Returns the state of chosen sentences, [M] their numbers, which may come more than once."""
        return State(*(array[rows] for array in self))


class Network:
    """A trained network.

    Args:
      sizes: of the network.
      weights: by the variables' paths.
    """

    def __init__(self, sizes: Sizes, weights: Mapping[str, np.ndarray]) -> None:
        self.sizes = sizes
        self._weights = weights

    def encode(self, sentences: Sequence[Sequence[int]]) -> State:
        """Returns the state from which translations of sentences begin."""
        source = padded(sentences)
        mask = source != END
        x, hiddens, cells = self._weights["source_embedding/embeddings"][source], [], []
        for number in range(self.sizes.num_layers):
            if self.sizes.bidirectional:
                parts = (("forwards", False), ("backwards", True))
                both = [self._lstm(f"encoder_{number}_{name}", x, mask, reverse) for name, reverse in parts]
                x, hidden, cell = (np.concatenate(pair, -1) for pair in zip(*both, strict=True))
            else:
                x, hidden, cell = self._lstm(f"encoder_{number}", x, mask, False)
            hiddens.append(hidden)
            cells.append(cell)
        has_attention = self.sizes.attention != "none"
        keys = x @ self._weights["attention/memory_kernel"] if has_attention else x[..., :0]
        return State(np.stack(hiddens, 1), np.stack(cells, 1), x, keys, mask)

    def step(self, tokens: np.ndarray, state: State) -> tuple[np.ndarray, State, np.ndarray]:
        """Returns ([N, V] log-probabilities of what follows the tokens [N], the next state, [N, T] attention)."""
        x, hidden, cell = self._weights["target_embedding/embeddings"][tokens], [], []
        for number in range(self.sizes.num_layers):
            name = f"decoder_{number}/lstm_cell"
            gates = x @ self._weights[f"{name}/kernel"] + self._weights[f"{name}/bias"]
            x, following = self._cell(name, gates, state.hidden[:, number], state.cell[:, number])
            hidden.append(x)
            cell.append(following)
        attention = self.attention(x, state)
        if self.sizes.attention != "none":
            context = np.matmul(attention[:, None], state.memory)[:, 0]
            x = np.concatenate([context, x], -1)
        vectors = np.tanh(x @ self._weights["readout/kernel"])
        logits = vectors @ self._weights["target_embedding/embeddings"].T + self._weights["logits/bias"]
        return log_softmax(logits), state._replace(hidden=np.stack(hidden, 1), cell=np.stack(cell, 1)), attention

    def attention(self, queries: np.ndarray, state: State) -> np.ndarray:
        """Returns [N, T]: how much each word is attended to, by the decoder's states [N, U]; 0 without attention."""
        kind = self.sizes.attention
        if kind == "none":
            return np.zeros(state.mask.shape, np.float32)
        if kind == "bahdanau":
            sums = (queries @ self._weights["attention/query_kernel"])[:, None] + state.keys
            scores = np.tanh(sums) @ self._weights["attention/vector"]
        else:
            scores = np.matmul(state.keys, queries[:, :, None])[:, :, 0]
            scores = scores * self._weights["attention/scale"] if kind == "scaled_luong" else scores
        weights: np.ndarray = np.exp(log_softmax(np.where(state.mask, scores, np.float32(-1e9))))
        return weights

    def log_likelihoods(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> np.ndarray:
        """Returns [N] log-probabilities of the targets, their ends included."""
        state, given = self.encode(sources), padded(targets)
        following = np.concatenate([given, np.full((len(given), 1), END, np.int32)], 1)
        rows, tokens = np.arange(len(given)), np.full(len(given), START)
        total, is_open = np.zeros(len(given)), np.ones(len(given), bool)
        for column in following.T:
            log_probs, state, _ = self.step(tokens, state)
            total += np.where(is_open, log_probs[rows, column], 0.0)
            is_open, tokens = is_open & (column != END), column
        return total

    def _lstm(self, name: str, x: np.ndarray, mask: np.ndarray, reverse: bool) -> tuple[np.ndarray, ...]:
        """Returns the states of all steps [B, T, U], 0 beyond a sentence's end; and the last ones, hidden and cell."""
        cell_name = f"{name}/lstm_cell"
        gates = x @ self._weights[f"{cell_name}/kernel"] + self._weights[f"{cell_name}/bias"]
        hidden = cell = np.zeros((len(x), gates.shape[-1] // 4), np.float32)
        outputs = np.zeros((*x.shape[:2], hidden.shape[1]), np.float32)
        for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
            is_word = mask[:, t, None]
            new_hidden, new_cell = self._cell(cell_name, gates[:, t], hidden, cell)
            hidden, cell = np.where(is_word, new_hidden, hidden), np.where(is_word, new_cell, cell)
            outputs[:, t] = hidden
        return outputs, hidden, cell

    def _cell(self, name: str, gates: np.ndarray, hidden: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, ...]:
        before = np.concatenate([hidden, cell], -1)
        return tuple(np.split(recurrent.lstm_step(gates, before, self._weights[f"{name}/recurrent_kernel"]), 2, -1))


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Returns the logarithms of the softmax over the last axis."""
    shifted = scores - scores.max(-1, keepdims=True)
    found: np.ndarray = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found
