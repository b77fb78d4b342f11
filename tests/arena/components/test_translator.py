"""The translator: it learns a little language, in TensorFlow, and speaks it in NumPy."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from arena import components
from arena.components import data, store
from arena.components.base import Watch
from arena.components.data import Dataset, Split
from arena.components.translation.corpora import Corpus
from arena.components.translation.inference import Network, State
from arena.components.translation.network import Sizes
from arena.components.translation.translating import Manner
from arena.components.translator import Translator
from arena.errors import DamagedFile, InvalidValue, UnknownName

KINDS = ["none", "luong", "scaled_luong", "bahdanau"]
WORDS = {"a": "un", "red": "rouge", "big": "gros", "dog": "chien", "cat": "chat", "runs": "court", "sleeps": "dort"}
SMALL = {
    "embedding_size": 24,
    "num_units": 32,
    "batch_size": 16,
    "min_count": 1,
    "dropout": 0.0,
    "label_smoothing": 0.0,
}


def sentence(rng: np.random.Generator) -> tuple[str, str]:
    """Returns "A red dog runs." and "Un chien rouge court.": words change places."""
    colour, animal, deed = (str(rng.choice(words)) for words in (["red", "big"], ["dog", "cat"], ["runs", "sleeps"]))
    translated = " ".join(WORDS[word] for word in ("a", animal, colour, deed))
    return f"A {colour} {animal} {deed}.", f"{translated.capitalize()}."


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    rng = np.random.default_rng(0)
    english, french = zip(*(sentence(rng) for _ in range(160)), strict=True)
    return Corpus({"en": list(english), "fr": list(french)})


@pytest.fixture(scope="module")
def dataset(corpus: Corpus) -> Dataset:
    return Dataset("little", {"train": Split(corpus), "dev": Split(corpus[:60]), "test": Split(corpus[20:60])})


class Heard(NamedTuple):
    """What a fit told, and the BLEU of what it kept."""

    told: list[str]
    kept: list[float]


@pytest.fixture(scope="module")
def heard() -> Heard:
    """What was heard while `fitted` learned."""
    return Heard([], [])


@pytest.fixture(scope="module")
def fitted(dataset: Dataset, heard: Heard) -> Translator:
    dev = dataset.splits["dev"]
    watch = Watch(
        lambda fraction, text: heard.told.append(text),
        keep=lambda better: heard.kept.append(better.score(dev.inputs)),
    )
    return Translator(epochs=12, learning_rate=0.02, **SMALL).fit(dataset.train.inputs, validation=dev, watch=watch)


def unfitted(kind: str, **settings: object) -> Translator:
    """Returns one whose weights are random, and its vocabularies some words."""
    from arena.components.translation.vocabulary import Vocabulary

    translator = Translator(attention=kind, **{**SMALL, **settings})
    known = [Vocabulary(["<unk>", "<s>", "</s>", *words]) for words in (WORDS.keys(), WORDS.values())]
    translator.vocabularies_, translator.shape_ = (known[0], known[1]), (len(known[0]), len(known[1]))
    model = translator.build()
    rng = np.random.default_rng(0)
    translator.weights_ = {v.path: rng.normal(0, 0.4, v.shape).astype(np.float32) for v in model.trainable_variables}
    return translator


@pytest.mark.parametrize("kind", KINDS)
def test_attention_scores_by_hand(kind: str) -> None:
    # one query q = (1, 2); memory m1 = (1, 0), m2 = (0, 1), and a third place beyond the sentence's end
    weights = {
        "attention/memory_kernel": np.array([[1.0, 3.0], [2.0, 0.0]]),  # m1 W = (1, 3), m2 W = (2, 0)
        "attention/scale": np.array(0.5),
        "attention/query_kernel": np.array([[0.0, 1.0], [1.0, 0.0]]),  # q Q = (2, 1)
        "attention/vector": np.array([1.0, -1.0]),
    }
    scores = {
        "luong": [7.0, 2.0],  # q.(1, 3) and q.(2, 0)
        "scaled_luong": [3.5, 1.0],
        "bahdanau": [np.tanh(3) - np.tanh(4), np.tanh(4) - np.tanh(1)],  # v.tanh of (2, 1) + (1, 3) and + (2, 0)
    }
    network = Network(Sizes(5, 5, 2, 2, 1, False, kind), weights)
    memory = np.array([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])
    nothing = np.zeros((1, 1, 2))
    keys = memory @ weights["attention/memory_kernel"]
    state = State(nothing, nothing, memory, keys, np.array([[True, True, False]]))
    found = network.attention(np.array([[1.0, 2.0]]), state)
    expected = np.zeros(2) if kind == "none" else np.exp(scores[kind]) / np.exp(scores[kind]).sum()
    np.testing.assert_allclose(found, [[*expected, 0]], rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("num_layers", "bidirectional"), [(2, False), (1, True)])
def test_what_numpy_computes_is_what_keras_does(kind: str, num_layers: int, bidirectional: bool) -> None:
    translator = unfitted(kind, num_layers=num_layers, bidirectional=bidirectional)
    source, target = np.array([[3, 4, 5, 6], [7, 3, 2, 2]], np.int32), np.array([[1, 3, 4], [1, 5, 6]], np.int32)
    outputs = translator.model()([source, target])
    logits = np.asarray(outputs["logits"], np.float64)
    expected = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    network = translator.interpreter().network
    state = network.encode([[3, 4, 5, 6], [7, 3]])
    for t in range(3):
        log_probs, state, attention = network.step(target[:, t], state)
        np.testing.assert_allclose(log_probs, expected[:, t], atol=1e-4)
        np.testing.assert_allclose(attention, outputs["attention"][:, t], atol=1e-5)
    assert (attention[1, 2:] == 0).all()


def test_what_a_sentence_is_filled_up_with_does_not_matter() -> None:
    network = unfitted("luong").interpreter().network
    alone, _, _ = network.step(np.array([1]), network.encode([[7, 3]]))
    beside, _, _ = network.step(np.array([1, 1]), network.encode([[7, 3], [3, 4, 5, 6, 7]]))
    np.testing.assert_allclose(beside[0], alone[0], atol=1e-5)


@pytest.mark.parametrize(("kind", "num_layers"), [("none", 1), ("luong", 2), ("scaled_luong", 1), ("bahdanau", 1)])
def test_the_exported_step_is_that_of_numpy(kind: str, num_layers: int) -> None:
    from ai_edge_litert.interpreter import Interpreter

    translator = unfitted(kind, num_layers=num_layers, max_length=6)
    run = Interpreter(model_content=translator.to_litert()).get_signature_runner()
    network = translator.interpreter().network
    state = network.encode([[3, 4, 5]])
    memory, mask = np.zeros((1, 6, 32), np.float32), np.zeros((1, 6), np.float32)
    memory[:, :3], mask[:, :3] = state.memory, 1
    hidden, cell = state.hidden, state.cell
    for token in (1, 4, 5):
        outputs = run(token=np.array([[token]], np.int32), hidden=hidden, cell=cell, memory=memory, mask=mask)
        log_probs, state, attention = network.step(np.array([token]), state)
        np.testing.assert_allclose(outputs["log_probs"], log_probs, atol=1e-4)
        np.testing.assert_allclose(outputs["attention"][:, :3], attention, atol=1e-5)
        hidden, cell = outputs["next_hidden"], outputs["next_cell"]
        np.testing.assert_allclose(hidden, state.hidden, atol=1e-5)


def test_it_learns_the_language(fitted: Translator, dataset: Dataset) -> None:
    assert fitted.translate(["A red dog sleeps.", "a big cat runs ."]) == [
        "Un chien rouge dort.",
        "un chat gros court.",
    ]
    metrics = fitted.evaluate(dataset)
    assert metrics["bleu"] > 90
    assert metrics["bleu_low"] <= metrics["bleu"] <= metrics["bleu_high"]
    assert metrics["bleu_beam"] > 90
    assert metrics["perplexity"] < 1.3
    assert {"bleu_without_attention", "perplexity_without_attention"} <= metrics.keys()
    assert fitted.score(dataset.test.inputs) == pytest.approx(metrics["bleu"])


def test_beams_are_at_least_as_likely_as_greedy_translations(fitted: Translator) -> None:
    network = fitted.interpreter().network
    texts = [["a", "red", "cat", "runs", "."], ["dog", "big"], ["sleeps", "red", "red", "a", "cat"]]
    sources = [fitted.vocabularies_[0].encode(text) for text in texts]
    ways = (Manner("greedy"), Manner("beam", 5, 0.0))
    greedy, beam = (fitted.interpreter().decode(texts, manner, np.arange(3)) for manner in ways)
    assert all(best.log_prob >= one.log_prob - 1e-6 for one, best in zip(greedy, beam, strict=True))
    likelihoods = network.log_likelihoods(sources, [one.tokens for one in greedy])
    np.testing.assert_allclose(likelihoods, [one.log_prob for one in greedy], atol=1e-4)


def test_samples_are_drawn_from_a_seed(fitted: Translator) -> None:
    sampled = []
    for seed in (0, 0, 1):
        fitted.adjust({"decoder": "sample", "temperature": 5.0, "seed": seed})
        sampled.append(fitted.translate(["A red dog runs."] * 5))
    fitted.adjust({"decoder": "beam", "temperature": 1.0, "seed": 0})
    assert sampled[0] == sampled[1] != sampled[2]


def test_an_unknown_word_is_left_out_or_the_one_looked_at() -> None:
    from arena.components.translation.decoding import Decoded

    interpreter = unfitted("luong").interpreter()
    attention = np.array([[0.1, 0.8, 0.1], [0.0, 0.0, 0.0]], np.float32)
    found = interpreter.put_together("A Zebra .", ["a", "Zebra", "."], Decoded([0, 0], attention, -1.0))
    assert (found.text, found.target) == ("Zebra", ["Zebra"])
    np.testing.assert_array_equal(found.attention, attention[:1])


def test_a_saved_one_translates_the_same(fitted: Translator, tmp_path: Path) -> None:
    loaded = components.load(components.save(fitted, tmp_path / "translator"))
    assert isinstance(loaded, Translator)
    assert [known.words for known in loaded.vocabularies_] == [known.words for known in fitted.vocabularies_]
    texts = ["A red dog sleeps.", "A big cat runs."]
    assert loaded.translate(texts) == fitted.translate(texts)


def test_weights_without_their_words_are_damaged(fitted: Translator) -> None:
    arrays = {name: array for name, array in fitted.arrays().items() if name != "target_words"}
    with pytest.raises(DamagedFile, match="lack 'target_words'"):
        Translator().restore(arrays)


def test_the_best_epoch_is_kept_as_it_learns(fitted: Translator, heard: Heard) -> None:
    assert any("dev_bleu" in text and "dev_perplexity" in text for text in heard.told)
    assert heard.kept[-1] > 90
    assert heard.kept == sorted(heard.kept)


def test_pictures_show_where_it_looked_and_how_long_sentences_fare(fitted: Translator, dataset: Dataset) -> None:
    shown = fitted.pictures(dataset)
    assert shown.keys() == {"attention", "lengths"}
    assert all(picture.dtype == np.uint8 and picture.shape[2] == 3 for picture in shown.values())


def test_sentences_are_translated_at_the_command_line(arena, fitted: Translator, tmp_path: Path) -> None:
    components.save(fitted, tmp_path / "mine" / "translator")
    assert arena("component", "run", "mine", "A red dog runs .").out == "Un chien rouge court.\n"
    assert arena("component", "run", "mine", "A red dog runs .", "--set", "decoder=greedy").code == 0
    (tmp_path / "two.txt").write_text("A red dog runs.\nA big cat sleeps.\n")
    assert arena("component", "run", "mine", "two.txt", "--out", "x.txt").out == "2 translations are in x.txt\n"
    assert (tmp_path / "x.txt").read_text() == "Un chien rouge court.\nUn chat gros dort.\n"
    assert arena("component", "run", "mine", "A red dog runs.", "--out", "x.png").code == 0
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


def test_it_is_measured_at_the_command_line(arena, fitted: Translator, corpus: Corpus, tmp_path: Path) -> None:
    components.save(fitted, tmp_path / "mine" / "translator")
    for part in ("train", "val", "test"):
        for language in ("en", "fr"):
            (tmp_path / f"{part}.{language}").write_text("\n".join(corpus.text(language)[:20]) + "\n")
    metrics = json.loads(arena("component", "eval", "mine", "--data", ".", "--json").out)["metrics"]
    assert {"bleu", "bleu_without_attention", "bleu_beam", "perplexity"} <= metrics.keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "mine", "zyx wvu"], "no word of sentence 1, 'zyx wvu', is among the"),
        (["run", "mine", " "], "there is nothing to translate in sentence 1, ' '"),
        (["run", "mine", "empty.txt"], "empty.txt is empty: it should hold a sentence a line"),
        (["run", "mine", "latin.txt"], "latin.txt cannot be read: latin.txt is no UTF-8 text: byte 0xe9 in line 1"),
        (["run", "mine", "none.txt"], "there is no file none.txt"),
        (["run", "mine", "a", "--out", "x.csv"], "--out must end in .txt, .png; given 'x.csv'"),
        (["run", "mine", "a", "--set", "decoder=best"], "decoder = 'best'"),
        (["run", "mine", "a", "--set", "num_units=8"], "translator was fitted with its num_units"),
        (
            ["eval", "mine", "--data", "german"],
            "there is no 'fr' in these texts, which are de, en: set source and target",
        ),
        (["eval", "mine", "--data", "unaligned"], "its lines are not aligned"),
        (["train", "translator", "--set", "attention=some"], "attention = 'some'"),
        (["train", "translator", "--set", "num_units=7"], "num_units"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arena, fitted, tmp_path, arguments, message) -> None:
    components.save(fitted, tmp_path / "mine" / "translator")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    for folder, other, num in (("german", "de", 1), ("unaligned", "fr", 2)):
        (tmp_path / folder).mkdir()
        for part in ("train", "val", "test"):
            (tmp_path / folder / f"{part}.en").write_text("A dog.\n")
            (tmp_path / folder / f"{part}.{other}").write_text("Ein Hund.\n" * num)
    outcome = arena("component", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_what_it_cannot_learn_from_is_refused(corpus: Corpus) -> None:
    with pytest.raises(InvalidValue, match="learns from a Corpus of aligned texts, given list"):
        Translator().fit(["a"])
    with pytest.raises(InvalidValue, match="no pair of sentences has at most 2 words: raise max_length"):
        Translator(max_length=2).fit(corpus)
    with pytest.raises(InvalidValue, match="there is no 'vi' in these texts"):
        Translator(source="vi").fit(corpus)
    with pytest.raises(UnknownName, match="unknown key of translator's settings 'beams'"):
        Translator(beams=3)


def test_talks_are_learned_from_with_the_words_that_come_with_them(real_data: Path) -> None:
    folder = real_data / "iwslt15_en_vi"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}")
    parts = {name: Split(split.inputs[:4]) for name, split in data.load(folder, Translator.datasets).splits.items()}
    sizes = {"embedding_size": 8, "num_units": 8, "compare": False, "epochs": 1}
    translator = Translator(source="vi", target="en", tokeniser="spaces", **sizes)
    translator.fit(parts["train"].inputs, validation=parts["dev"])
    assert translator.shape_ == (7709, 17191)
    metrics = translator.evaluate(Dataset("talks", parts))
    assert metrics.keys() == {
        "bleu",
        "bleu_low",
        "bleu_high",
        "bleu_beam",
        "bleu_beam_low",
        "bleu_beam_high",
        "perplexity",
    }
    assert metrics["perplexity"] < 17191  # by chance


def test_the_shipped_one_translates_captions_it_never_saw(real_data: Path) -> None:
    if "translator" not in store.pretrained():
        pytest.skip("translator comes without weights")
    shipped, dataset = components.load("translator"), data.load(real_data / "multi30k", Translator.datasets)
    assert shipped.score(dataset.test.inputs[:200]) > 30
