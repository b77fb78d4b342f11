"""`arena component`: list, train, eval and run."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from arena.components.data import load
from arena.components.training import train

CORNERS = np.array([[0, 0], [0, 2], [4, 0], [4, 2]] * 5, np.float32)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    np.save(folder / "corners.npy", CORNERS)
    dataset = load(folder / "corners.npy", ["iris"])
    train("kmeans", dataset, folder / "mine", {"num_clusters": 2, "restarts": 2})
    return folder


@pytest.fixture
def trained(arena, trained_once, tmp_path):
    """The folder of a k-means trained on corners.npy, which lies beside it, in the folder of the commands."""
    shutil.copytree(trained_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "mine"


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_the_list_names_all_components(arena):
    listed = json.loads(arena("component", "list", "--json").out)["components"]
    assert {"pca", "kmeans", "som"} <= {row["name"] for row in listed}
    assert arena("component", "list").out.splitlines()[1].startswith("pca ")


def test_the_list_imports_nothing_heavy():
    program = "import sys; from arena.cli import main; main(['component', 'list']); print(sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    loaded = set(out.splitlines()[-1].replace("'", "").strip("[]").split(", "))
    assert not loaded & {"tensorflow", "keras", "sklearn", "matplotlib", "scipy"}


def test_a_training_leaves_weights_curves_and_pictures(trained):
    card = json.loads((trained / "kmeans.json").read_text())
    assert card["component"] == "kmeans"
    assert card["data"] == "corners"
    assert card["settings"]["num_clusters"] == 2
    assert card["metrics"] == {"sse": 2.0, "sse_best_of_50": 2.0}  # the last tenth: two corners, 1 from their centres
    assert list(trained.glob("events.out.tfevents.*"))
    for picture in ("elbow", "clusters"):
        assert size_of(trained / "pictures" / f"{picture}.png")[0] > 300


def test_an_evaluation_prints_one_json_object(arena, trained):
    outcome = arena("component", "eval", "mine", "--data", "corners.npy", "--json")
    assert json.loads(outcome.out) == {
        "component": "kmeans",
        "data": "corners",
        "metrics": {"sse": 2.0, "sse_best_of_50": 2.0},
    }
    assert "sse" in arena("component", "eval", trained / "kmeans.safetensors", "--data", "corners.npy").out


def test_outputs_go_to_numbers_and_pictures(arena, trained, tmp_path):
    outcome = arena("component", "run", "mine", "corners.npy", "--out", "clusters.csv")
    assert outcome.out == "20 examples: [20] int64 in clusters.csv\n"
    first, *rest = np.loadtxt(tmp_path / "clusters.csv", int)
    assert rest[:3] == [first, 1 - first, 1 - first]
    arena("component", "run", "mine", "corners.npy", "--out", "clusters.npy")
    assert np.load(tmp_path / "clusters.npy").tolist() == [first, *rest]
    outcome = arena("component", "run", "mine", "corners.npy", "--out", "clusters.png")
    assert (outcome.code, outcome.err) == (
        2,
        "arena: examples of shape [2] are no pictures; write them to a .npy or .csv file\n",
    )


def test_a_training_with_images_shows_them_in_the_projector(arena, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 6, 5), np.uint8)
    np.save(tmp_path / "images.npy", images)
    Image.fromarray(images[0]).save(tmp_path / "one.png")
    outcome = arena("component", "train", "pca", "--data", "images.npy", "--set", "n_dimensions=3", "--out", "p")
    assert outcome.code == 0, outcome.err
    config = (tmp_path / "p" / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "projector/pca.tsv"' in config
    assert "single_image_dim: 5 single_image_dim: 6" in config  # width, height
    assert len((tmp_path / "p" / "projector" / "pca.tsv").read_text().splitlines()) == 3  # the test examples
    assert (tmp_path / "p" / "projector" / "pca-labels.tsv").read_text() == "0\n1\n2\n"
    assert arena("component", "run", "p", "one.png", "--out", "one-again.png").code == 0
    assert size_of(tmp_path / "one-again.png") == (10, 25)  # drawn twice as large, 6 above 6 and a line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["eval", "kmaens"], "unknown component 'kmaens'; did you mean 'kmeans'"),
        (["train", "kmaens"], "unknown component 'kmaens'; did you mean 'kmeans'"),
        (["train", "kmeans", "--set", "clusters=3"], "unknown key of kmeans's settings 'clusters'"),
        (["train", "kmeans", "--set", "num_clusters=0"], "kmeans's settings: num_clusters = 0"),
        (["train", "kmeans", "--data", "corners.npy", "--out", "mine"], "mine/kmeans.safetensors exists already"),
        (["eval", "mine", "--data", "wide.npy"], "kmeans takes inputs of shape [N, 2], given [N, 3]"),
        (["eval", "mine", "--data", "nan.npy"], "nan.npy was given NaN or infinite numbers, first in example 0"),
        (["eval", "mine", "--data", "."], ". holds no set that is known"),
        (["run", "mine", "wide.npy", "--out", "x.npy"], "kmeans takes inputs of shape [N, 2], given [N, 3]"),
        (["run", "mine", "none.npy", "--out", "x.npy"], "there is no file none.npy"),
        (["run", "mine", "corners.npy", "--out", "x.jpg"], "--out must end in .npy, .csv, .png"),
        (["run", "mine", "corners.txt", "--out", "x.npy"], "corners.txt must be a file that ends in"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arena, trained, tmp_path, arguments, message):
    np.save(tmp_path / "wide.npy", np.zeros((20, 3)))
    np.save(tmp_path / "nan.npy", np.full((20, 2), np.nan))
    outcome = arena("component", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_damaged_file_is_one_line(arena, trained):
    path = trained / "kmeans.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    outcome = arena("component", "eval", "mine", "--data", "corners.npy")
    assert (outcome.code, outcome.err) == (
        2,
        "arena: mine/kmeans.safetensors is damaged: it is not what its .json tells of (sha256)\n",
    )
