"""The standings of the pretrained policies, for the README."""

from __future__ import annotations

from pathlib import Path

from arena import zoo
from arena.tournaments.standings import markdown_table

README = Path(__file__).parent.parent / "README.md"
CAPTION = "Mean returns of 100 games (1,000 of the toy texts); `arena agents` has the intervals."
BEGIN, END = "<!-- standings -->\n", "<!-- /standings -->"


def standings() -> list[str]:
    """Returns a table of mean returns, environments by agents, as lines of Markdown."""
    means = {(entry.env, entry.agent): f"{entry.scores['mean']:,.2f}" for entry in zoo.entries()}
    envs, agents = (sorted({key[part] for key in means}, key=str.lower) for part in (0, 1))
    rows = [[env, *(means.get((env, agent), "") for agent in agents)] for env in envs]
    return markdown_table(["", *agents], rows, "l" + "r" * len(agents))


def write() -> None:
    """Puts the table between its marks in the README."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    text = before + BEGIN + "\n".join(standings()) + f"\n{CAPTION}\n" + END + after
    README.write_text(text, encoding="utf-8")
