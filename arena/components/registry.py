"""Which components there are; a component's module is imported when it is asked for by name."""

from __future__ import annotations

import importlib
from typing import NamedTuple

from arena.components.base import Component
from arena.errors import UnknownName


class Entry(NamedTuple):
    """Where a component is, and what it does, in a few words."""

    target: str
    summary: str


ENTRIES = {
    "pca": Entry("pca:PCA", "principal components: the directions in which the data vary most"),
    "kmeans": Entry("kmeans:KMeans", "k centres, each the mean of the examples nearest to it"),
    "som": Entry("som:SelfOrganisingMap", "a lattice of units, on which neighbours stand for similar examples"),
    "rbm": Entry("rbm:RBM", "a restricted Boltzmann machine, trained by contrastive divergence"),
    "rbm-recommender": Entry("rbm_recommender:RBMRecommender", "films for a user, from the ratings of all users"),
    "dbn": Entry("dbn:DBN", "machines stacked on one another, fine-tuned to tell classes"),
    "autoencoder": Entry("autoencoders:Autoencoder", "gives back what it is given, through a small code"),
    "sparse-autoencoder": Entry("autoencoders:SparseAutoencoder", "an autoencoder whose units are seldom active"),
    "denoising-autoencoder": Entry("autoencoders:DenoisingAutoencoder", "gives clean images for noisy ones"),
    "convolutional-autoencoder": Entry(
        "convolutional_autoencoder:ConvolutionalAutoencoder", "small codes that keep where things are; takes frames too"
    ),
    "stacked-autoencoder": Entry(
        "stacked_autoencoder:StackedAutoencoder", "several layers, fitted one by one and then together"
    ),
    "translator": Entry("translator:Translator", "sentences in another language, by LSTMs with attention"),
    "char-rnn": Entry("char_rnn:CharRNN", "writes a text on, character by character, as the texts it has read"),
    "forecaster": Entry("forecaster:Forecaster", "what signals do next, from what they did: stacked GRUs"),
}


def names() -> list[str]:
    """Returns the names of all components."""
    return list(ENTRIES)


def component_class(name: str) -> type[Component]:
    """Returns the class of a component; raises UnknownName with the closest one there is."""
    if name not in ENTRIES:
        raise UnknownName("component", name, ENTRIES)
    module, _, cls = ENTRIES[name].target.partition(":")
    found: type[Component] = getattr(importlib.import_module(f"arena.components.{module}"), cls)
    return found
