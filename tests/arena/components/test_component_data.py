"""Sets: read from folders, downloaded, and refused."""

import gzip
import hashlib
import http.server
import threading
import zipfile
from functools import partial

import numpy as np
import pytest
from PIL import Image

from arena.components import data, files
from arena.components.data import load
from arena.errors import ArenaError, DamagedFile, InvalidValue, UnknownName

COLOURS = b"\xef\xbb\xbfR,G,B,Color-Name\r\n255,0,0,Red\r\n0,0,128,Navy \r\n"


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


@pytest.fixture
def mnist(tmp_path):
    for prefix, number in (("train", 3), ("t10k", 2)):
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte.gz", np.arange(number * 784).reshape(number, 28, 28) % 256)
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte.gz", np.arange(number))
    return tmp_path


def test_mnist_is_read_from_its_four_files(mnist):
    dataset = load(mnist, ["iris", "mnist"])
    assert dataset.name == "mnist"
    assert dataset.train.inputs.shape == (3, 28, 28)
    assert dataset.train.inputs.dtype == np.uint8
    assert dataset.test.inputs[1, 0, :3].tolist() == [16, 17, 18]  # 784 = 3 * 256 + 16
    assert dataset.test.labels.tolist() == [0, 1]


def test_a_missing_and_a_damaged_file_are_one_line_each(mnist):
    labels = mnist / "t10k-labels-idx1-ubyte.gz"
    write_idx(labels, np.arange(5))
    with pytest.raises(DamagedFile, match="its images and labels do not go together"):
        load(mnist, ["mnist"])
    labels.write_bytes(labels.read_bytes()[:-9])
    with pytest.raises(DamagedFile, match=r"mnist in .* is damaged"):
        load(mnist, ["mnist"])
    labels.write_bytes(gzip.compress(b"words"))
    with pytest.raises(DamagedFile, match="no IDX file"):
        load(mnist, ["mnist"])
    labels.unlink()
    with pytest.raises(ArenaError, match=r"mnist is not complete: there is no .*t10k-labels"):
        load(mnist, ["mnist"])


def test_iris_comes_along_and_is_read_from_uci_too(tmp_path):
    dataset = load(None, ["iris"])
    assert dataset.train.inputs.shape == (150, 4)
    assert np.bincount(dataset.test.labels).tolist() == [50, 50, 50]
    (tmp_path / "iris.data").write_text("5.1,3.5,1.4,0.2,Iris-setosa\n6.0,2.2,5.0,1.5,Iris-virginica\n\n")
    dataset = load(tmp_path, ["iris"])
    assert dataset.classes == ("setosa", "virginica")
    assert dataset.train.labels.tolist() == [0, 1]


def test_colours_are_read(tmp_path):
    (tmp_path / "colors.csv").write_bytes(COLOURS)
    dataset = load(tmp_path, ["colours"])
    assert dataset.train.inputs.tolist() == [[255, 0, 0], [0, 0, 128]]
    assert dataset.classes == ("Red", "Navy")
    (tmp_path / "colors.csv").write_text("R,G,B,Color-Name\n300,0,0,Red\n")
    with pytest.raises(DamagedFile, match="not three numbers from 0 to 255"):
        load(tmp_path, ["colours"])


MOVIES = "1::Toy Story (1995)::Animation|Comedy\n3::Misérables, Les (1995)::Drama\n".encode("latin-1")


def ratings(timestamps):
    rows = [(user, film, 1 + (user + film) % 5) for user in (1, 2) for film in range(1, 11)]
    if timestamps:
        return "".join(f"{u}::{f}::{r}::978300760\n" for u, f, r in reversed(rows)).encode()
    return gzip.compress("".join(f"{u}::{f}::{r}\n" for u, f, r in rows).encode())


def test_movielens_is_split_alike_whatever_its_files_are(tmp_path):
    plain, archived = tmp_path / "plain", tmp_path / "archived"
    plain.mkdir()
    archived.mkdir()
    (plain / "movies.dat").write_bytes(MOVIES)
    (plain / "ratings_no_timestamp.dat.gz").write_bytes(ratings(False))
    with zipfile.ZipFile(archived / "ml-1m.zip", "w") as archive:
        archive.writestr("ml-1m/movies.dat", MOVIES)
        archive.writestr("ml-1m/ratings.dat", ratings(True))
    first, second = (load(folder, ["movielens-1m"]) for folder in (plain, archived))
    for part in ("train", "test"):
        assert first.splits[part].inputs.tolist() == second.splits[part].inputs.tolist()
    assert (len(first.train), len(first.test)) == (18, 2)  # a tenth of 20
    together = np.concatenate([first.train.inputs, first.test.inputs])
    assert len(np.unique(together, axis=0)) == 20
    assert (together[:, 2] == 1 + (together[:, 0] + together[:, 1] + 2) % 5).all()  # ids from 0
    assert first.about["titles"][2] == "Misérables, Les (1995)"
    assert (first.about["num_users"], first.about["num_films"]) == (2, 10)


def test_fer2013_is_read_from_its_csv_and_from_mosaics(tmp_path):
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    usages = ["Training", "Training", "PublicTest", "PrivateTest"]
    table = tmp_path / "csv"
    table.mkdir()
    lines = [f"{k},{' '.join(map(str, face.ravel()))},{usages[k]}" for k, face in enumerate(faces)]
    (table / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]))
    mosaics = tmp_path / "mosaics"
    mosaics.mkdir()
    Image.fromarray(np.concatenate(faces[:2], axis=1)).save(mosaics / "fer2013_Training.png")
    Image.fromarray(faces[2]).save(mosaics / "fer2013_PublicTest.png")
    Image.fromarray(faces[3]).save(mosaics / "fer2013_PrivateTest.png")
    with gzip.open(mosaics / "fer2013_labels.csv.gz", "wt") as file:
        file.write("row,emotion,Usage\n" + "".join(f"{k},{k},{usage}\n" for k, usage in enumerate(usages)))
    for folder in (table, mosaics):
        dataset = load(folder, ["fer2013"])
        assert dataset.train.inputs.tolist() == faces[:2].tolist()
        assert dataset.splits["public"].inputs.tolist() == faces[2:3].tolist()
        assert dataset.test.inputs.tolist() == faces[3:].tolist()
        assert [split.labels.tolist() for split in dataset.splits.values()] == [[0, 1], [2], [3]]


def test_examples_of_ones_own_are_split_at_the_last_tenth(tmp_path):
    np.save(tmp_path / "mine.npy", np.arange(40.0).reshape(20, 2))
    dataset = load(tmp_path / "mine.npy", ["mnist"])
    assert dataset.train.inputs.shape == (18, 2)
    assert dataset.test.inputs.tolist() == [[36, 37], [38, 39]]
    (tmp_path / "mine.csv").write_text("1,2\n3,nan\n")
    with pytest.raises(InvalidValue, match="NaN or infinite numbers, first in example 1"):
        load(tmp_path / "mine.csv", ["mnist"])
    (tmp_path / "mine.csv").write_text("")
    with pytest.raises(InvalidValue, match="was given no examples"):
        load(tmp_path / "mine.csv", ["mnist"])
    (tmp_path / "mine.csv").write_text("a,b\n")
    with pytest.raises(DamagedFile, match=r"mine\.csv cannot be read"):
        load(tmp_path / "mine.csv", ["mnist"])


def test_arrays_that_hold_objects_are_refused(tmp_path):
    np.save(tmp_path / "mine.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(DamagedFile, match="cannot be read"):
        files.read(tmp_path / "mine.npy")


def test_what_is_not_there_or_not_for_it_is_told(mnist, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(ArenaError, match=r"holds no set that is known; looked for .*\(mnist\)"):
        load(empty, ["mnist"])
    with pytest.raises(InvalidValue, match="holds mnist, which is not for this component; it takes iris"):
        load(mnist, ["iris"])
    with pytest.raises(UnknownName, match="unknown set 'mnits'; did you mean 'mnist'"):
        load("mnits", ["mnist"])
    with pytest.raises(ArenaError, match=r"there is no file or folder nowhere/mnist"):
        load("nowhere/mnist", ["mnist"])
    with pytest.raises(InvalidValue, match="iris is not for this component"):
        load("iris", ["mnist"])
    with pytest.raises(ArenaError, match=r"fer2013 cannot be downloaded: log in to kaggle.com.*with --data"):
        load(None, ["fer2013"])


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """A folder and the address that serves it."""
    folder = tmp_path / "served"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


@pytest.fixture
def colours_at(server, tmp_path, monkeypatch):
    """Makes the colours come from the local server, with a hash of one's choice."""
    folder, address = server
    monkeypatch.setenv("ARENA_DATA", str(tmp_path / "cache"))

    def change(digest, address=address):
        source = data.SOURCES["colours"]._replace(urls={address + "colors.csv": digest})
        monkeypatch.setitem(data.SOURCES, "colours", source)

    (folder / "colors.csv").write_bytes(COLOURS)
    return change


def test_a_set_is_downloaded_once(colours_at, server, tmp_path):
    colours_at(hashlib.sha256(COLOURS).hexdigest())
    assert load("colours", ["colours"]).classes == ("Red", "Navy")
    (server[0] / "colors.csv").unlink()
    assert load(None, ["colours"]).classes == ("Red", "Navy")
    assert (tmp_path / "cache" / "colours" / "colors.csv").read_bytes() == COLOURS


def test_a_download_that_is_not_what_it_was_is_refused(colours_at, tmp_path):
    colours_at("0" * 64)
    with pytest.raises(DamagedFile, match=r"colors\.csv is not what it was \(sha256\); give .* --data"):
        load("colours", ["colours"])
    assert not list((tmp_path / "cache" / "colours").iterdir())


def test_an_unreachable_download_is_one_line(colours_at, server):
    colours_at("0" * 64, server[1] + "not/there/")
    with pytest.raises(ArenaError, match=r"colors\.csv cannot be downloaded \(HTTPError\); give .* --data DIR"):
        load("colours", ["colours"])
    colours_at("0" * 64, "http://127.0.0.1:9/")
    with pytest.raises(ArenaError, match=r"cannot be downloaded \(ConnectionError\)"):
        load("colours", ["colours"])


def test_the_real_sets_are_whole(real_data):
    sizes = {"mnist": (60_000, 10_000), "colors": (16, 16), "movielens_1m": (900_189, 100_020)}
    for folder, (train, test) in sizes.items():
        dataset = load(real_data / folder, list(data.SOURCES))
        assert (len(dataset.train), len(dataset.test)) == (train, test)


@pytest.mark.slow
def test_the_real_faces_are_whole(real_data):
    dataset = load(real_data / "fer2013", ["fer2013"])
    assert [len(dataset.splits[part]) for part in ("train", "public", "test")] == [28_709, 3_589, 3_589]
    counts = np.sum([np.bincount(split.labels) for split in dataset.splits.values()], axis=0)
    assert counts.tolist() == [4953, 547, 5121, 8989, 6077, 4002, 6198]
    assert dataset.train.inputs[0, 0, :8].tolist() == [70, 80, 82, 72, 58, 58, 60, 63]
