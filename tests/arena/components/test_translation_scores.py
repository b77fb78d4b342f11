"""BLEU against sacrebleu, and perplexity by hand."""

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from arena.components.translation import scores
from arena.errors import InvalidValue

# The example of sacrebleu's README: 48.53 (BLEU|nrefs:2) with both references; here with the first alone.
WRITTEN = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
WANTED = ["The dog bit the man.", "It was not unexpected.", "The man bit him first."]


def test_bleu_is_sacrebleus():
    expected = BLEU().corpus_score(WRITTEN, [WANTED]).score
    assert scores.bleu(WRITTEN, WANTED).value == pytest.approx(expected)


def test_bleu_by_hand():
    # "a b c d e" for "a b c d f g": 4/5 words, 3/4 pairs, 2/3 triples, 1/2 fours; one word too short: exp(1 - 6/5)
    expected = 100 * np.exp(1 - 6 / 5) * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert scores.bleu(["a b c d e"], ["a b c d f g"]).value == pytest.approx(expected)


@pytest.mark.parametrize("written", ["a b x y z", "x y z u v", "a b"])
def test_sentences_with_few_or_no_right_words_are_judged_as_sacrebleu_judges_them(written):
    expected = BLEU().corpus_score([written], [["a b c d e"]]).score
    assert scores.bleu([written], ["a b c d e"]).value == pytest.approx(expected)


def test_the_interval_holds_the_value():
    estimate = scores.bleu(WRITTEN * 20, WANTED * 20)
    assert estimate.low < estimate.value < estimate.high
    assert scores.bleu(WANTED, WANTED) == pytest.approx((100, 100, 100))


def test_as_many_translations_as_references_are_wanted():
    with pytest.raises(InvalidValue, match="given 1 and 2"):
        scores.bleu(["a"], ["a", "b"])
    with pytest.raises(InvalidValue, match="given 0 and 0"):
        scores.bleu([], [])


def test_perplexity_counts_the_ends_of_sentences():
    # two words and the end, each of probability 1/4; one word and the end, of 1/2: (6 log 2 + 2 log 2) / 5
    found = scores.perplexity(np.log([1 / 64, 1 / 4]), [[5, 6], [7]])
    assert found == pytest.approx(2 ** (8 / 5))
