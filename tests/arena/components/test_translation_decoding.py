"""From a network to sentences, on a table of odds that is small enough to be searched by hand."""

from typing import NamedTuple

import numpy as np
import pytest

from arena.components.translation import decoding
from arena.components.translation.vocabulary import END, START

A, B = 3, 4
# What follows START, A and B: greedy takes A, .6, then A, .4, and so on; but B, .4, is followed by the end, .9.
ODDS = {
    START: {A: 0.6, B: 0.4},
    A: {A: 0.4, B: 0.3, END: 0.3},
    B: {A: 0.05, B: 0.05, END: 0.9},
}
TABLE = np.full((5, 5), 1e-9)
for before, following in ODDS.items():
    for after, chance in following.items():
        TABLE[before, after] = chance
LOG_ODDS = np.log(TABLE)


class Count(NamedTuple):
    """Remembers how many words of each sentence there were, [N]."""

    num: np.ndarray

    def take(self, rows: np.ndarray) -> "Count":
        return Count(self.num[rows])


def step(tokens, state):
    return LOG_ODDS[tokens], Count(state.num + 1), state.num[:, None].astype(np.float32)


def start(num):
    return Count(np.zeros(num, int))


def beam(width, length_penalty=0.0, num=1, max_words=6):
    return decoding.beam(step, start(num), num, max_words, width=width, length_penalty=length_penalty)


def test_greedy_takes_the_likeliest_word_each_time():
    first, second = decoding.greedy(step, start(2), 2, max_words=3)
    assert first.tokens == second.tokens == [A, A, A]
    assert first.log_prob == pytest.approx(np.log(0.6 * 0.4 * 0.4))


def test_a_beam_of_one_is_greedy():
    (found,), (wanted,) = beam(1), decoding.greedy(step, start(1), 1, 6)
    assert (found.tokens, found.log_prob) == (wanted.tokens, pytest.approx(wanted.log_prob))


def test_a_beam_of_two_finds_the_likeliest_sentence():
    # after one word A .6 and B .4 are followed; after two B END .36 and A A .24; nothing of A A comes up to .36
    found = beam(2, num=3)
    assert [one.tokens for one in found] == [[B]] * 3
    assert found[0].log_prob == pytest.approx(np.log(0.4 * 0.9))


def test_a_penalty_on_short_sentences_prefers_longer_ones():
    # B END has log .36 = -1.02 at two words; A B END log .162 = -1.82 at three. Divided by (7/6)^p and (8/6)^p the
    # second is the greater where (8/7)^p > 1.78, from p = 4.3 on
    assert beam(4, 4.2, max_words=3)[0].tokens == [B]
    assert beam(4, 4.4, max_words=3)[0].tokens == [A, B]


@pytest.mark.parametrize("width", [2, 3, 5])
def test_a_beam_is_at_least_as_likely_as_greedy(width):
    rng = np.random.default_rng(width)
    for _ in range(20):
        log_odds = np.log(rng.dirichlet(np.full(5, 0.5), 5) + 1e-6)

        def drawn(tokens, state, log_odds=log_odds):
            return log_odds[tokens], state, np.zeros((len(tokens), 1))

        (greedy,) = decoding.greedy(drawn, start(1), 1, 5)
        (best,) = decoding.beam(drawn, start(1), 1, 5, width=width, length_penalty=0.0)
        assert best.log_prob >= greedy.log_prob - 1e-9


def test_attention_goes_with_the_words():
    (found,) = beam(2)
    assert found.attention.tolist() == [[0.0]]  # of the one word: where it looked when nothing was written yet
    (longer,) = decoding.greedy(step, start(1), 1, 4)
    assert longer.attention[:, 0].tolist() == [0, 1, 2, 3]


def test_samples_follow_the_odds():
    num = 4000
    found = decoding.sample(step, start(num), num, 1, temperature=1.0, seeds=np.arange(num))
    assert np.mean([one.tokens == [A] for one in found]) == pytest.approx(0.6, abs=0.03)
    sharper = decoding.sample(step, start(num), num, 1, temperature=0.5, seeds=np.arange(num))
    assert np.mean([one.tokens == [A] for one in sharper]) == pytest.approx(0.36 / 0.52, abs=0.03)  # squares


def test_a_sample_depends_on_its_own_seed_alone():
    seeds = np.arange(10)
    together = decoding.sample(step, start(10), 10, 6, temperature=1.0, seeds=seeds)
    alone = [decoding.sample(step, start(1), 1, 6, temperature=1.0, seeds=seeds[k : k + 1])[0] for k in range(10)]
    assert [one.tokens for one in together] == [one.tokens for one in alone]
    assert len({tuple(one.tokens) for one in together}) > 1
