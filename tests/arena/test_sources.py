"""What a reference names is found without running any of it."""

import hashlib
import importlib.metadata
import io
import sys
import zipfile

import numpy as np
import pytest

from arena import functions, policy, sources
from arena.errors import ArenaError, BrokenPlugin, DamagedFile, UnknownName
from arena.sources import Kind, locate
from envs import make

HOSTILE = """
from pathlib import Path
Path("marker").touch()

class Mine: pass

def choose(obs): return 0

if True:
    LATE = 1
else:
    def other(obs): return 1

from os import path as found

try:
    import tomllib
except ImportError as error:
    caught = None
"""


@pytest.fixture(autouse=True)
def no_code_runs(tmp_path, monkeypatch):
    """Every test is in an empty folder, in which no agent's code may leave its mark; nor may it be imported."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield
    assert not (tmp_path / "marker").exists()
    assert not {name for name in set(sys.modules) - before if name.startswith(("stranger", "arena_plugin"))}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(HOSTILE)
    return path


@pytest.fixture
def package(tmp_path):
    """A package of a stranger's in the current folder."""
    folder = tmp_path / "stranger_package" / "inner"
    folder.mkdir(parents=True)
    for path in (folder.parent, folder):
        (path / "__init__.py").write_text(HOSTILE)
    (folder / "agent.py").write_text(HOSTILE)
    return folder


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_a_built_in_agent_is_ours_and_known_by_its_distribution():
    source = locate("random")
    version = importlib.metadata.version("agent-arena")
    assert (source.ref, source.name, source.is_ours, source.kind) == ("random", "random", True, Kind.PLUGIN)
    assert source.digest == f"agent-arena {version}"
    assert source.path.name == "random_agent.py"


def installed(folder, distribution, entry, monkeypatch):
    """Puts a distribution with one plugin where it is found."""
    info = folder / f"{distribution.replace('-', '_')}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(f"[arena.agents]\n{entry}\n")
    monkeypatch.syspath_prepend(folder)


def test_a_strangers_plugin_is_known_by_its_version_and_its_source(package, tmp_path, monkeypatch):
    installed(tmp_path, "strange", "mine = stranger_package.inner.agent:Mine", monkeypatch)
    before = locate("mine")
    assert (before.name, before.is_ours, before.path) == ("mine", False, package / "agent.py")
    assert before.digest.startswith("strange 1.5 sha256:")
    (package / "__init__.py").write_text("changed = True")  # what it may lean on
    assert locate("mine").digest != before.digest


def test_a_strangers_plugin_does_not_take_the_place_of_ours(tmp_path, monkeypatch):
    installed(tmp_path, "zzz", "random = stranger_package.inner.agent:Mine", monkeypatch)
    assert locate("random").is_ours


def test_a_distribution_of_our_name_is_not_ours_where_its_module_is_not(package, tmp_path, monkeypatch):
    installed(tmp_path, "agent-arena", "mine = stranger_package.inner.agent:Mine", monkeypatch)
    assert not locate("mine").is_ours


def test_a_plugin_without_its_module_is_one_line(tmp_path, monkeypatch):
    installed(tmp_path, "strange", "mine = no_such_package.agent:Mine", monkeypatch)
    with pytest.raises(BrokenPlugin, match=r"plugin mine \(no_such_package.agent:Mine\) cannot be imported: there is"):
        locate("mine")


@pytest.mark.parametrize("name", ["Mine", "choose", "LATE", "other", "found", "tomllib", "caught"])
def test_a_name_in_a_file_is_found_in_its_source(file, name):
    source = locate(f"mine.py:{name}")
    assert (source.ref, source.name, source.kind) == (f"{file}:{name}", name, Kind.FILE)
    assert (source.is_ours, source.digest, source.path) == (False, sha256(HOSTILE.encode()), file)


@pytest.mark.parametrize("line", ["from os.path import *", "def __getattr__(name): return lambda obs: 0"])
def test_a_name_that_only_running_would_tell_passes(tmp_path, line):
    (tmp_path / "mine.py").write_text(line)
    assert locate("mine.py:anything").name == "anything"


@pytest.mark.parametrize(
    ("source", "name", "line"),
    [
        (
            HOSTILE,
            "chose",
            r"unknown class or function in mine\.py 'chose'; did you mean 'choose'\? \(choices: Mine",
        ),
        ("def f(:", "f", r"mine\.py cannot be imported: SyntaxError: invalid syntax \(line 1\)"),
        ("(" * 10_000, "f", r"mine\.py cannot be imported: SyntaxError: too many nested parentheses"),
        ("-" * 100_000 + "1", "f", r"mine\.py cannot be imported: (Memory|Recursion)Error"),
        ("1" + "+1" * 5_000, "f", r"mine\.py cannot be imported: (Memory|Recursion)Error|unknown class or function"),
        ("x\0y", "f", r"mine\.py cannot be imported: .*null bytes"),
    ],
)
def test_a_file_without_the_name_is_one_line(tmp_path, source, name, line):
    (tmp_path / "mine.py").write_text(source)
    with pytest.raises((BrokenPlugin, UnknownName), match=line) as caught:
        locate(f"mine.py:{name}")
    assert "\n" not in str(caught.value)


def test_a_module_of_the_current_folder_is_found_without_its_packages_being_imported(package):
    source = locate("stranger_package.inner.agent:choose")
    assert (source.ref, source.kind, source.path) == (
        "stranger_package.inner.agent:choose",
        Kind.MODULE,
        package / "agent.py",
    )
    (package.parent / "other.py").write_text("")
    assert locate("stranger_package.inner.agent:choose").digest != source.digest


@pytest.mark.parametrize(
    ("ref", "line"),
    [
        (
            "stranger_package.inner.agent:chose",
            "unknown class or function in stranger_package.inner.agent 'chose'",
        ),
        ("stranger_package.outer:choose", "unknown agent 'stranger_package.outer:choose'"),
        ("stranger_package.inner.agent.deeper:choose", "unknown agent"),
        ("no_such_module:choose", "unknown agent 'no_such_module:choose'"),
        (
            "rando",
            r"unknown agent 'rando'; did you mean 'random'\? .* or give zoo:NAME, a run folder, FILE.py:NAME",
        ),
        ("..:x", "unknown agent"),
        (":x", "unknown agent ':x'"),
        ("", "unknown agent ''"),
    ],
)
def test_a_reference_to_nothing_is_one_line(package, ref, line):
    with pytest.raises(UnknownName, match=line):
        locate(ref)


@pytest.mark.parametrize(
    ("ref", "line"),
    [
        ("nothing.py:Mine", r"there is no file nothing\.py"),
        ("nothing.npz", r"there is no policy file nothing\.npz"),
        ("runs/nothing", "there is no run folder runs/nothing"),
    ],
)
def test_a_file_that_is_not_there_is_one_line(ref, line):
    with pytest.raises(ArenaError, match=line):
        locate(ref)


def test_policies_and_run_folders_are_ours_and_known_by_their_content(litert_policy, tmp_path):
    source = locate(str(litert_policy))
    assert (source.name, source.is_ours, source.kind, source.preprocess) == ("network", True, Kind.POLICY, "none")
    assert source.digest == sha256(litert_policy.read_bytes())
    run = tmp_path / "run"
    run.mkdir()
    (run / "final.tflite").write_bytes(litert_policy.read_bytes())
    assert (locate("run").ref, locate("run").path) == (str(run), run / "final.tflite")
    assert locate("run").digest == source.digest


def table(folder):
    spec = make("FrozenLake-v1").spec
    card = policy.Card.of("table", spec, "greedy", {})
    return policy.save(policy.Policy(functions.Table(np.zeros((16, 4))), card), folder / "table")


def test_a_table_is_ours(tmp_path):
    source = locate(str(table(tmp_path)))
    assert (source.name, source.is_ours, source.kind) == ("table", True, Kind.POLICY)


def test_a_table_that_unpacks_to_more_than_it_is_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    content = io.BytesIO()
    np.save(content, np.zeros(1 << 20))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("q.npy", content.getvalue())
    with pytest.raises(DamagedFile, match="it is compressed, as no policy of the arena is"):
        locate(str(path))


def test_a_litert_file_without_a_card_is_not_ours(foreign_model):
    source = locate(str(foreign_model))
    assert (source.name, source.is_ours, source.kind) == ("model", False, Kind.LITERT)
    assert source.digest == sha256(foreign_model.read_bytes())


def test_a_card_that_does_not_seal_its_file_is_refused(litert_policy, tmp_path):
    content = bytearray(litert_policy.read_bytes())
    content[-1] ^= 1
    (tmp_path / "edited.tflite").write_bytes(content)
    with pytest.raises(DamagedFile, match="its content does not match the hash in its card"):
        locate("edited.tflite")


def test_only_what_can_hold_code_needs_trust():
    def source(kind):
        return sources.Source("ref", "name", "digest", False, kind)

    for kind in set(Kind) - {Kind.SB3}:
        source(kind).check_trust(False)
    source(Kind.SB3).check_trust(True)
    with pytest.raises(ArenaError, match=r"^ref can hold code, .* give --trust, or `trust = true` at the agent in a"):
        source(Kind.SB3).check_trust(False)
