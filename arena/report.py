"""What a run or a tournament came to: a Markdown report, and tables for the terminal."""

from __future__ import annotations

import json
import shlex
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.config import read_toml
from arena.errors import ArenaError, DamagedFile
from arena.files import write_text
from arena.plots import read_columns
from arena.tournaments import standings

if TYPE_CHECKING:
    from rich.console import Console

    from arena.tournaments.result import Result

VIDEOS = (".mp4", ".gif")


def report(folder: Path) -> Path:
    """Writes `report.md` into the folder of a tournament or a run and returns its path.

    Raises:
      ArenaError: the folder is neither.
      DamagedFile: its files are not what they should be.
    """
    if (folder / "tournament.json").is_file():
        text = _tournament(folder)
    elif (folder / "tournament.toml").is_file():
        raise ArenaError(f"the tournament in {folder} has not been played to its end; there are no standings to report")
    elif (folder / "config.toml").is_file():
        text = _run(folder)
    else:
        raise ArenaError(f"{folder} is neither a run nor a tournament: it has no config.toml or tournament.json")
    return write_text(folder / "report.md", text)


def print_standings(console: Console, result: Result) -> None:
    """Prints one table for every environment, with its protocol and who is not entered there under it."""
    from rich.table import Table
    from rich.text import Text

    for env in result.config.envs:
        rows = [row for row in result.standings() if row["env"] == env.label]
        if rows:
            table = Table(
                title=env.label, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False
            )
            for heading in standings.HEADINGS:
                table.add_column(heading, justify="left" if heading == "agent" else "right", no_wrap=True)
            for row in rows:
                table.add_row(*map(Text, standings.cells(row)), style="bold" if row["rank"] == 1 else None)
            console.print(table)
            console.print(Text(result.protocols()[env.label], style="dim"))
        else:
            console.print(Text(env.label, style="bold"))
        for entry in result.not_entered:
            if entry.env == env.label:
                console.print(Text(f"{entry.agent} is not entered: {entry.reason}", style="dim"))
        console.print()


def _tournament(folder: Path) -> str:
    path = folder / "tournament.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        config, protocols = data["config"], standings.protocols(data["matches"])
        tables = standings.to_markdown(data["standings"], data["left_out"], protocols)
        agents = [[agent["name"], f"`{agent['ref']}`", _steps(agent["train"])] for agent in config["agents"]]
        headings = ["agent", "environment", "best", "worst", "steps", "seconds"]
        played = [
            [match["agent"], match["env"], _number(max(match["returns"])), _number(min(match["returns"])),
             f"{sum(match['lengths']):,}", f"{match['seconds']:.1f}"]
            for match in data["matches"]
        ]  # fmt: skip
        seeds = {seed for match in data["matches"] for seed in match["seeds"]}
        return "\n".join(
            [
                f"# {config['name']}",
                "",
                f"A league: every agent plays {config['episodes']} games in every environment it fits, "
                f"all on the same {len(seeds)} seeds (root seed {config['seed']}). Ranks go by mean return.",
                "",
                tables,
                "## Agents",
                "",
                *standings.markdown_table(["agent", "reference", "trained"], agents, "lll"),
                "## Matches",
                "",
                *standings.markdown_table(headings, played, "llrrrr"),
                *_gallery(folder, data["not_filmed"]),
                *_reproduce(shlex.join(["arena", "tournament", str(folder / "tournament.toml")]), data["versions"]),
            ]
        )
    except (KeyError, TypeError, ValueError, OSError, UnicodeDecodeError) as error:
        raise DamagedFile(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _run(folder: Path) -> str:
    config = read_toml(folder / "config.toml")
    versions = config.pop("versions", {})
    keys = {**{key: value for key, value in config.items() if key != "settings"}, **config.get("settings", {})}
    try:
        return "\n".join(
            [
                f"# {config['agent']} on {config['env']}",
                "",
                *standings.markdown_table(["", "score"], _summary(folder), "lr"),
                "± is the sample standard deviation. Evaluations choose the best policy, on seeds that no reported "
                "evaluation uses; `arena eval` on the run folder gives the score to report.",
                "",
                *_gallery(folder),
                "## Configuration",
                "",
                *standings.markdown_table(["key", "value"], [[key, f"`{value}`"] for key, value in keys.items()], "ll"),
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


def _gallery(folder: Path, not_filmed: Sequence[Mapping[str, str]] = ()) -> list[str]:
    """Returns the plots, shown, and the videos, linked, of a folder."""
    plots = [*sorted(folder.glob("*.png")), *sorted(folder.rglob("plots/*.png"))]
    videos = sorted(path for path in (folder / "videos").rglob("*") if path.suffix in VIDEOS)
    lines = []
    if plots:
        lines += ["## Plots", "", *(f"![{_title(path, folder)}]({_link(path, folder)})" for path in plots), ""]
    if videos or not_filmed:
        lines += ["## Videos", "", *(f"- [{path.relative_to(folder)}]({_link(path, folder)})" for path in videos)]
        lines += [f"- none of {film['agent']} on {film['env']}: {film['reason']}" for film in not_filmed]
        lines.append("")
    return lines


def _title(path: Path, folder: Path) -> str:
    words = [part for part in path.relative_to(folder).with_suffix("").parts if part not in ("runs", "plots")]
    return " ".join(words).replace("__", " on ").replace("_", " ")


def _link(path: Path, folder: Path) -> str:
    return urllib.parse.quote(path.relative_to(folder).as_posix())


def _reproduce(command: str, versions: Mapping[str, str]) -> list[str]:
    lines = ["## How to reproduce it", "", "```", command, "```", ""]
    if versions:
        lines += ["With " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".", ""]
    return lines


def _number(value: float) -> str:
    return f"{value:,.2f}"


def _steps(steps: int) -> str:
    return f"{steps:,} steps" if steps else "as it is"
