"""How good translations are: BLEU with its bootstrap interval, and perplexity.

BLEU is sacrebleu's, with its own tokeniser 13a, letters as they are (signature
"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"): words are put together into plain text first.

Sources: Papineni et al. (2002), "BLEU: a method for automatic evaluation of machine translation"; Post (2018), "A call
for clarity in reporting BLEU scores"; Koehn (2004), "Statistical significance tests for machine translation
evaluation", for the bootstrap over sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.errors import InvalidValue
from arena.statistics import bootstrap

_RESAMPLES = 2_000
_ORDER = 4


def bleu(translations: Sequence[str], references: Sequence[str], seed: int = 0) -> bootstrap.Estimate:
    """Returns BLEU, from 0 to 100, of all sentences together, and its interval over draws of the sentences.

    Raises InvalidValue where there are no sentences, or not as many references.
    """
    if not translations or len(translations) != len(references):
        given = f"{len(translations)} and {len(references)}"
        raise InvalidValue(f"BLEU takes as many translations as references, one at least; given {given}")
    counts = sentence_counts(translations, references)
    draws = bootstrap.resampled_counts(1, len(counts), seed=seed, resamples=_RESAMPLES)
    low, high = bootstrap.interval(np.concatenate([bleu_of_counts(chunk @ counts) for chunk in draws]))
    return bootstrap.Estimate(float(bleu_of_counts(counts.sum(0))), float(low), float(high))


def sentence_counts(translations: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """Returns [N, 10]: right n-grams and all n-grams, of one to four words; words of the translation and reference."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(effective_order=True)
    rows = []
    for translation, reference in zip(translations, references, strict=True):
        score = metric.sentence_score(translation, [reference])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])
    return np.array(rows, np.float64)


def bleu_of_counts(counts: np.ndarray) -> np.ndarray:
    """Returns [...] BLEU of summed counts [..., 10]: 100 min(1, exp(1 - reference / translation)) (p1 p2 p3 p4)^(1/4).

    Where no n-gram of a size is right, 1/2 is taken for their number, 1/4 for the next such size, and so on.
    """
    right, total = counts[..., :_ORDER], counts[..., _ORDER : 2 * _ORDER]
    written, wanted = counts[..., -2], counts[..., -1]
    is_none = right == 0
    smoothed = np.where(is_none, 0.5 ** np.cumsum(is_none, -1), right)
    logs = np.log(smoothed / np.maximum(total, 1)).mean(-1)
    brevity = np.minimum(0.0, 1 - wanted / np.maximum(written, 1))
    has_all = (total > 0).all(-1) & (right.sum(-1) > 0)
    return np.where(has_all, 100 * np.exp(logs + brevity), 0.0)


def perplexity(log_likelihoods: np.ndarray, targets: Sequence[Sequence[int]]) -> float:
    """Returns exp of the mean cross-entropy of a word, each sentence's end counted as one."""
    num_words = sum(len(target) + 1 for target in targets)
    return float(np.exp(-log_likelihoods.sum(dtype=np.float64) / num_words))
