"""The network that writes a text on."""

import json
from pathlib import Path

import numpy as np
import pytest

from arena import components
from arena.components import char_rnn, character_training, data, store
from arena.components.base import SILENT, Watch
from arena.components.char_rnn import CharRNN
from arena.components.data import Dataset, Split
from arena.errors import DamagedFile, InvalidValue

TEXT = "abcd" * 200
SMALL = {"num_units": 16, "num_layers": 2, "embedding_size": 4, "unroll": 8, "batch_size": 8, "learning_rate": 0.02}


def fit(watch: Watch = SILENT) -> CharRNN:
    return CharRNN(epochs=12, dropout=0.1, **SMALL).fit(TEXT, validation=Split(TEXT[:200]), watch=watch)


@pytest.fixture(scope="module")
def kept() -> list[float]:
    """The nats of what was kept while `fitted` learned."""
    return []


@pytest.fixture(scope="module")
def fitted(kept: list[float]) -> CharRNN:
    return fit(Watch(keep=lambda better: kept.append(better.nats_per_char(TEXT[:200]))))


def plan(**changes: object) -> character_training.Plan:
    return character_training.Plan(**{**CharRNN(**SMALL).settings.model_dump(include=set(PLANNED)), **changes})


PLANNED = character_training.Plan._fields


def test_carried_rows_go_on_where_they_were() -> None:
    starts = character_training.starts(plan(batch_size=3), 100, epoch=1)
    # 99 characters have a next one: 33 a row, so each has room for 4 sequences of 8
    assert starts.shape == (4, 3)
    assert (np.diff(starts, axis=0) == 8).all()
    assert (np.diff(starts, axis=1) == 33).all()
    assert starts.max() + 8 < 100


def test_overlapping_sequences_begin_at_every_third_character() -> None:
    starts = character_training.starts(plan(method="sequences", batch_size=5), 100, epoch=0)
    assert starts.shape == (6, 5)  # 31 places from 0 to 91, of which 30 make whole batches
    assert set(starts.ravel()) <= set(range(0, 92, 3))
    assert len(set(starts.ravel())) == 30


@pytest.mark.parametrize("method", ["carried", "sequences"])
def test_a_text_shorter_than_a_sequence_is_learned_from_too(method: str) -> None:
    assert character_training.starts(plan(method=method), 5, epoch=0).tolist() == [[0]]


def test_it_learns_what_follows(fitted: CharRNN) -> None:
    assert fitted.nats_per_char(TEXT[:300]) < 0.05  # by chance log 4 = 1.39
    assert fitted.generate("bc", 6, temperature=0) == "dabcda"
    assert fitted.score(TEXT) == pytest.approx(-fitted.nats_per_char(TEXT))


def test_it_learns_from_overlapping_sequences() -> None:
    found = CharRNN(epochs=15, method="sequences", **SMALL).fit(TEXT)
    sequences = [TEXT[k : k + SMALL["unroll"]] for k in range(4)]  # it has learned what comes after so many characters
    assert [found.generate(text, 1, temperature=0) for text in sequences] == ["a", "b", "c", "d"]


def test_the_same_seed_learns_and_writes_the_same(fitted: CharRNN) -> None:
    again = fit()
    assert all((again.weights_[name] == array).all() for name, array in fitted.weights_.items())
    assert again.generate("a", 40, 5.0) == fitted.generate("a", 40, 5.0)
    again.adjust({"seed": 1})
    assert again.generate("a", 40, 5.0) != fitted.generate("a", 40, 5.0)


def test_the_steps_in_numpy_are_those_of_the_model(fitted: CharRNN) -> None:
    numbers = fitted.alphabet_.encode("abcdabdca")
    expected = np.asarray(fitted.model()(numbers[None])["logits"])[0]
    state = np.zeros((1, 2 * 2 * 16), np.float32)
    for number, wanted in zip(numbers, expected, strict=True):
        logits, state = fitted.step(np.array([number]), state)
        np.testing.assert_allclose(logits[0], wanted, atol=1e-4)
    losses = char_rnn.nats(expected[:-1], numbers[1:])
    assert fitted.nats_per_char("abcdabdca") == pytest.approx(losses.mean(), abs=1e-4)


def test_long_texts_are_read_in_parts_side_by_side(fitted: CharRNN) -> None:
    text = "abcd" * 150 + "dcba" * 50
    numbers = fitted.alphabet_.encode(text)
    logits = np.asarray(fitted.model()(numbers[None])["logits"])[0]
    one_by_one = char_rnn.nats(logits[:-1], numbers[1:]).mean()
    assert fitted.nats_per_char(text) == pytest.approx(one_by_one, rel=0.02)  # 799 characters in three parts


def test_the_exported_step_writes_the_same_text(fitted: CharRNN) -> None:
    from ai_edge_litert.interpreter import Interpreter

    step = Interpreter(model_content=fitted.to_litert()).get_signature_runner()
    rng = np.random.default_rng(0)
    states = [np.zeros((1, 64), np.float32)] * 2
    numbers, written = [0, 0], ["", ""]
    for share in rng.random(30):
        logits, states[0] = fitted.step(np.array([numbers[0]]), states[0])
        outputs = step(character=np.array([numbers[1]], np.int32), state=states[1])
        states[1] = outputs["next_state"]
        for k, one in enumerate((logits, outputs["logits"])):
            numbers[k] = char_rnn.drawn(one[0], 2.0, share)
            written[k] += fitted.alphabet_.characters[numbers[k]]
    assert written[0] == written[1]
    assert len(set(written[0])) == 4


def test_a_temperature_sharpens_or_flattens() -> None:
    logits = np.log(np.array([0.1, 0.2, 0.7], np.float32))
    assert char_rnn.drawn(logits, 0, 0.0) == 2
    shares = np.linspace(0, 1, 1000, endpoint=False)
    for temperature, odds in ((1, [0.1, 0.2, 0.7]), (0.5, [1 / 54, 4 / 54, 49 / 54])):  # squares over their sum
        counts = np.bincount([char_rnn.drawn(logits, temperature, share) for share in shares], minlength=3)
        np.testing.assert_allclose(counts / 1000, odds, atol=2e-3)


def test_a_saved_one_writes_the_same(fitted: CharRNN, tmp_path: Path) -> None:
    loaded = components.load(components.save(fitted, tmp_path / "char-rnn"))
    assert loaded.generate("ab", 40) == fitted.generate("ab", 40)
    assert loaded.nats_per_char(TEXT) == pytest.approx(fitted.nats_per_char(TEXT), abs=1e-3)


def test_weights_without_their_characters_are_damaged(fitted: CharRNN) -> None:
    arrays = {name: array for name, array in fitted.arrays().items() if name != "alphabet"}
    with pytest.raises(DamagedFile, match="lack the characters"):
        CharRNN().restore(arrays)


def test_the_best_weights_are_kept_as_it_learns(fitted: CharRNN, kept: list[float]) -> None:
    assert len(kept) >= 2
    assert kept == sorted(kept, reverse=True)
    assert fitted.nats_per_char(TEXT[:200]) == kept[-1]


def test_the_metrics_leave_unknown_characters_out(fitted: CharRNN) -> None:
    metrics = fitted.evaluate(Dataset("x", {"train": Split(TEXT), "test": Split("abcd" * 20 + "z" * 20)}))
    assert metrics["unknown_share"] == pytest.approx(0.2)
    assert metrics["nats_per_char"] < 0.1
    assert metrics["bits_per_char"] == pytest.approx(metrics["nats_per_char"] / np.log(2))


def test_a_text_is_written_on_at_the_command_line(arena, fitted: CharRNN, tmp_path: Path) -> None:
    components.save(fitted, tmp_path / "mine" / "char-rnn")
    outcome = arena("component", "run", "mine", "ab", "--set", "length=4", "--set", "temperature=0")
    assert (outcome.code, outcome.out) == (0, "abcdab\n")
    assert arena("component", "run", "mine", "ab", "--out", "x.txt").out == "502 characters are in x.txt\n"
    (tmp_path / "test.txt").write_text(TEXT)
    metrics = json.loads(arena("component", "eval", "mine", "--data", "test.txt", "--json").out)["metrics"]
    assert metrics["nats_per_char"] < 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "mine", "xyz"], "none of the characters of 'xyz' is known: give some of 'abcd'"),
        (["run", "mine", ""], "there is no text to go on from"),
        (["run", "mine", "ab", "--out", "x.csv"], "--out must end in .txt; given 'x.csv'"),
        (["run", "mine", "ab", "--set", "temperature=-1"], "temperature = -1"),
        (["run", "mine", "ab", "--set", "num_units=3"], "char-rnn was fitted with its num_units"),
        (["eval", "mine", "--data", "empty.txt"], "empty.txt holds 0 characters"),
        (["eval", "mine", "--data", "other.txt"], "none of the characters of"),
        (["train", "char-rnn", "--data", "none.txt"], "there is no file or folder none.txt"),
        (["train", "char-rnn", "--set", "method=whole"], "method"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arena, fitted, tmp_path, arguments, message) -> None:
    components.save(fitted, tmp_path / "mine" / "char-rnn")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "other.txt").write_text("xyz" * 500)
    outcome = arena("component", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("given", ["", "a", 3])
def test_what_is_no_text_is_refused(given: object) -> None:
    with pytest.raises(InvalidValue, match="char-rnn takes a text of at least two characters"):
        CharRNN().fit(given)


def test_the_shipped_one_knows_the_plays(real_data: Path) -> None:
    if "char-rnn" not in store.pretrained():
        pytest.skip("char-rnn comes without weights")
    shipped = components.load("char-rnn")
    text = data.load(real_data / "shakespeare", CharRNN.datasets).test.inputs
    told = store.read_card(store.locate("char-rnn"))["metrics"]["nats_per_char"]
    assert shipped.nats_per_char(text[:20_000]) < told + 0.15  # a twentieth of the test part
