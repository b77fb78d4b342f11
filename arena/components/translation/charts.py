"""What a translator looks at, and how long sentences fare, as pictures [H, W, 3] uint8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arena.components import charts
from arena.components.translation import scores
from arena.components.translation.translating import Translation
from arena.plots import COLOURS

_INCHES = 0.34  # of a word


def heat_maps(translations: Sequence[Translation]) -> np.ndarray:
    """Returns a map for each translation, side by side: a row tells where a word of the translation looked."""
    widths = [len(translation.source) for translation in translations]
    height = max(len(translation.target) for translation in translations)

    def draw(figure: Any) -> None:
        for axes, found in zip(figure.subplots(1, len(widths), squeeze=False)[0], translations, strict=True):
            axes.imshow(found.attention, cmap="Blues", vmin=0, vmax=1)
            axes.set_xticks(range(len(found.source)), found.source, rotation=90)
            axes.set_yticks(range(len(found.target)), found.target)
            axes.xaxis.tick_top()
            axes.grid(False)

    return charts.render(draw, 1.6 * len(widths) + _INCHES * sum(widths), 1.4 + _INCHES * height)


def bleu_by_length(
    sources: Sequence[str], references: Sequence[str], sides: Mapping[str, Sequence[str]], num_groups: int = 5
) -> np.ndarray:
    """Returns BLEU over the length of the source sentences, in groups of about equal size.

    Args:
      sources: [N] sentences.
      references: [N] known translations.
      sides: [N] translations, by who made them.
      num_groups: how many, where there are sentences enough.
    """
    lengths = np.array([len(source.split()) for source in sources])
    inner = np.quantile(lengths, np.linspace(0, 1, num_groups + 1)[1:-1])
    places = np.searchsorted(inner, lengths)
    groups = [np.flatnonzero(places == place).tolist() for place in np.unique(places)]
    names = [f"{lengths[group].min()} to {lengths[group].max()}" for group in groups]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for (name, written), colour in zip(sides.items(), COLOURS, strict=False):
            found = [scores.bleu([written[k] for k in group], [references[k] for k in group]) for group in groups]
            values = np.array(found, np.float64)
            spread = np.abs(values[:, 1:] - values[:, :1]).T
            axes.errorbar(names, values[:, 0], spread, fmt="o-", color=colour, capsize=3, label=name)
        axes.set(xlabel="words of the sentence", ylabel="BLEU (bars: 95% intervals)", ylim=(0, None))
        axes.legend()

    return charts.render(draw)
