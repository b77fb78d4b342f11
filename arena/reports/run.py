"""What a run came to, in Markdown."""

from __future__ import annotations

import json
import shlex
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.config import read_toml
from arena.errors import ArenaError, DamagedFile
from arena.files import write_text
from arena.plots import read_columns
from arena.tournaments.standings import markdown_table
from arena.tournaments.store import FILE

VIDEOS = (".mp4", ".gif")


def report(folder: Path) -> Path:
    """Writes `report.md` into the folder of a run and returns its path.

    Raises:
      ArenaError: the folder is no run's.
      DamagedFile: its files are not what they should be.
    """
    if not (folder / "config.toml").is_file():
        raise ArenaError(f"{folder} is neither a run nor a tournament: it has no config.toml or {FILE}")
    return write_text(folder / "report.md", to_markdown(folder))


def to_markdown(folder: Path) -> str:
    """Returns what a run came to."""
    config = read_toml(folder / "config.toml")
    versions = config.pop("versions", {})
    keys = {**{key: value for key, value in config.items() if key != "settings"}, **config.get("settings", {})}
    try:
        return "\n".join(
            [
                f"# {config['agent']} on {config['env']}",
                "",
                *markdown_table(["", "score"], _summary(folder), "lr"),
                "± is the sample standard deviation. Evaluations choose the best policy, on seeds that no reported "
                "evaluation uses; `arena eval` on the run folder gives the score to report.",
                "",
                *_gallery(folder),
                "## Configuration",
                "",
                *markdown_table(["key", "value"], [[key, f"`{value}`"] for key, value in keys.items()], "ll"),
                *_reproduce(_train_command(config), versions),
            ]
        )
    except (KeyError, ValueError) as error:
        raise DamagedFile(f"{folder} holds a damaged run: {type(error).__name__}: {error}") from error


def _summary(folder: Path) -> list[list[str]]:
    """Returns what a run came to, as pairs of a label and a text."""
    episodes = read_columns(folder / "episodes.csv", ("step", "return"))
    evaluations = read_columns(folder / "evaluations.csv", ("step", "mean", "std", "episodes"))
    returns, means = episodes["return"], evaluations["mean"]
    summary = []
    if len(returns):
        last = returns[-100:]
        summary = [
            ["episodes", f"{len(returns):,}"],
            ["steps", f"{episodes['step'][-1]:,.0f}"],
            [f"mean return of the last {len(last)} episodes", _number(last.mean())],
            ["best return of an episode", _number(returns.max())],
        ]
    if len(means):
        for label, index in (("last evaluation", -1), ("best evaluation", int(means.argmax()))):
            step, mean, std, games = (column[index] for column in evaluations.values())
            summary.append([label, f"{_number(mean)} ± {_number(std)} ({games:.0f} games at step {step:,.0f})"])
    return summary


def _train_command(run: Mapping[str, Any]) -> str:
    """Returns the command that trains the run again."""
    words = ["arena", "train", run["agent"], "--env", run["env"]]
    flags = ("steps", "episodes", "minutes", "until", "num_envs", "seed", "preprocess", "checkpoint_every", "record")
    for key in flags:
        if key in run:
            words += [f"--{key.replace('_', '-')}", str(run[key])]
    for flag, key in (("--set", "settings"), ("--env-set", "env_settings")):
        for name, value in run.get(key, {}).items():
            words += [flag, f"{name}={json.dumps(value)}"]
    return shlex.join(words)


def _gallery(folder: Path) -> list[str]:
    """Returns the plots, shown, and the videos, linked, of a folder."""
    plots = sorted(folder.rglob("plots/*.png"))
    videos = sorted(path for path in (folder / "videos").rglob("*") if path.suffix in VIDEOS)
    lines = []
    if plots:
        lines += ["## Plots", "", *(f"![{path.stem.replace('_', ' ')}]({_link(path, folder)})" for path in plots), ""]
    if videos:
        lines += ["## Videos", "", *(f"- [{path.relative_to(folder)}]({_link(path, folder)})" for path in videos), ""]
    return lines


def _link(path: Path, folder: Path) -> str:
    return urllib.parse.quote(path.relative_to(folder).as_posix())


def _reproduce(command: str, versions: Mapping[str, str]) -> list[str]:
    lines = ["## How to reproduce it", "", "```", command, "```", ""]
    if versions:
        lines += ["With " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".", ""]
    return lines


def _number(value: float) -> str:
    return f"{value:,.2f}"
