"""A page with one of everything on it, some of it hostile, and a browser to open it in."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from arena.encoder import Encoder
from arena.reports import charts
from arena.reports.page import render
from arena.reports.view import (
    Bracket,
    Cell,
    Clip,
    Clips,
    Column,
    Facts,
    Figure,
    Fold,
    Listing,
    Meeting,
    Section,
    Table,
    Text,
    View,
    blocks,
)
from arena.tournaments import schedule
from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig, to_toml
from arena.tournaments.records import Entered, Forfeit, ForfeitType, Match, PlayedGame, PlayedMatch
from arena.tournaments.store import Store

SCRIPT = "<script>document.title='owned'</script>"
REVERSED = "safe\u202egnp.exe"
_CHROMIUM = shutil.which("chromium")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two seconds of film, as a data URI."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with Encoder(path, 25) as encoder:
        for step in range(50):
            frame = np.zeros((64, 96, 3), np.uint8)
            frame[:, : step + 1] = 200
            encoder.write(frame)
    return f"data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode()}"


@pytest.fixture(scope="session")
def view(video: str) -> View:
    """A view with every kind of block. The means are 9, 10, 100 and missing: as texts they would sort otherwise."""
    names = ["poor", "good", "a name that goes on and on and on and on and on", SCRIPT]
    means = [9.0, 100.0, 10.0, None]
    columns = [
        Column("agent", is_number=False),
        Column("mean", hint="of all games"),
        Column("interval", is_number=False, is_sortable=False),
        *(Column(f"column {i}") for i in range(8)),
    ]
    rows = [
        [
            Cell(name),
            Cell("" if mean is None else f"{mean:.0f}", mean, detail="8 to 12", level=8),
            Cell(picture=charts.interval_bar(mean or 0, 8, 12, (0, 100))),
            *(Cell(str(i), i) for i in range(8)),
        ]
        for name, mean in zip(names, means, strict=True)
    ]
    x = np.linspace(0, 100, 20)
    curve = charts.Curve(1 - x / 100, 0.9 - x / 120, 1.1 - x / 100)
    drawing = charts.lines(
        x, {SCRIPT: curve}, label=f"Profiles of {SCRIPT}", x_title="return", y_title="share", colours={SCRIPT: 0}
    )
    bracket = [
        (
            "Semi-finals",
            [Meeting(("good", "poor"), ("3", "1"), "good"), Meeting((SCRIPT, REVERSED), ("2", "2"), None, "a tie")],
        ),
        ("Final", [Meeting(("good", REVERSED), ("", ""), None)]),
    ]
    listed = [[i, REVERSED if i % 2 else "</script><b>", float(i * 7 % 60)] for i in range(60)]
    log = f"first line\n{SCRIPT}\x1b[31m</pre>\n{'wide ' * 100}"
    clips = [
        Clip("The best game", f"of {SCRIPT}", video),
        Clip("The worst game", "of none", reason="There is no film."),
    ]
    return View(
        title="cup",
        headline=f"good beats {SCRIPT}",
        summary=f"and {REVERSED}",
        sections=[
            Section(
                "standings", "Standings", "Ranks.", blocks(Table("table", "All of them", columns, rows, note=SCRIPT))
            ),
            Section(
                "profiles", "Profiles", "", blocks(Figure("figure", "Profiles", drawing, "It falls.", [(0, SCRIPT)]))
            ),
            Section("bracket", "Bracket", "", blocks(Bracket("tree", "The bracket", bracket))),
            Section("games", "Games", "", blocks(Clips(clips))),
            Section("forfeits", "Forfeits", "", blocks(Fold(f"crash of {SCRIPT}", log))),
            Section(
                "matches",
                "Matches",
                "",
                blocks(
                    Listing(
                        "list", "Every match", [Column("#"), Column("agent", is_number=False), Column("mean")], listed
                    )
                ),
            ),
            Section("how", "How", "", blocks(Facts([("command", f"arena {SCRIPT} " + "x" * 200)]), Text("The end."))),
        ],
        warnings=["Nothing is certain."],
        footer="Made by hand.",
    )


@pytest.fixture(scope="session")
def page_file(view: View, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of `view` as a file."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(view), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    if _CHROMIUM is None:
        pytest.skip("there is no chromium here")
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright, which agent-arena[dev] installs")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a file in a fresh context; at the end no request must have left and the console must be silent."""
    said: list[str] = []
    asked: list[str] = []
    contexts = []

    def open_file(path: Path, *, width: int = 1280, **settings: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 800}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


class Made:
    """Makes tournaments that nobody played."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(
        self,
        kind: str,
        names: Sequence[str],
        play: Callable[[Match], PlayedMatch | None],
        *,
        envs: Sequence[str] = ("tic_tac_toe",),
        warnings: Sequence[str] = (),
        **settings: Any,
    ) -> Path:
        """Returns the folder of a tournament; `play` says what came of a match, None where it is not played."""
        agents = [Entrant(ref="random", name=name, train=0) for name in names]
        entries = [EnvEntry(id=env) for env in envs]
        config = TournamentConfig(name=kind, format=kind, agents=agents, envs=entries, **settings)
        entered = [Entered(name, "random", "blake2b:0123456789abcdef0123", True) for name in names]
        folder = self.root / kind
        folder.mkdir()
        with Store.make(folder) as store:
            about = {"versions": {"python": "3.11"}, "machine": {"cores": 2}, "tiers": [["memory", True, "watched"]]}
            store.put(config=tomli_w.dumps(to_toml(config)), meta={**about, "started": 0.0}, warnings=list(warnings))
            store.put(clock={"seconds": 90.0, "playing_s": 80.0})
            store.enter(entered)
            played: dict[str, PlayedMatch] = {}
            is_going_on = True
            while is_going_on:
                due = schedule.due(config, entered, played)
                store.plan(due)
                found = [play(match) for match in due if match.id not in played]
                new = {result.match.id: result for result in found if result is not None}
                for result in new.values():
                    store.commit(result)
                played |= new
                is_going_on = bool(new)
        return folder

    def league(self, returns: Mapping[str, Sequence[float] | None], **settings: Any) -> Path:
        """Returns the folder of a league in CartPole-v1 with these returns; None forfeits the first game."""

        def play(match: Match) -> PlayedMatch | None:
            (name,) = match.players
            given = returns[name]
            if given is None:
                return self.block(match, [], [Forfeit(match.id, 0, name, ForfeitType.CRASH, "it fell", "its log")])
            part = given[match.first_game : match.first_game + len(match.seeds)]
            return self.block(match, part) if len(part) == len(match.seeds) else None

        settings = {"episodes": max(len(own) for own in returns.values() if own), "envs": ["CartPole-v1"]} | settings
        return self.folder("league", list(returns), play, **settings)

    @staticmethod
    def pair(match: Match, scores: Sequence[float], length: int = 7) -> PlayedMatch:
        """Returns a pair; `scores` are of its first player, by game."""
        games = []
        for score, seats in zip(scores, ((0, 1), (1, 0)), strict=True):
            by_player = (score, 1.0 - score)
            games.append(
                PlayedGame(
                    players=tuple(match.players[seat] for seat in seats),
                    seed=match.seeds[0],
                    returns=tuple(2 * by_player[seat] - 1 for seat in seats),
                    scores=tuple(by_player[seat] for seat in seats),
                    length=length,
                    truncated=False,
                    actions=np.zeros(length, np.int64),
                )
            )
        return PlayedMatch(match, tuple(games), (), {"opening_plies": 2, "mode": "own"}, {"wall_s": 1.0})

    @staticmethod
    def block(
        match: Match, returns: Sequence[float], forfeits: Sequence[Forfeit] = (), mode: str = "own"
    ) -> PlayedMatch:
        """Returns a league's match whose games took as many steps as they returned."""
        games = tuple(
            PlayedGame(match.players, seed, (ret,), (), int(ret), False, np.zeros(int(ret), np.int64))
            for seed, ret in zip(match.seeds, returns, strict=False)
        )
        return PlayedMatch(
            match, games, tuple(forfeits), {"preprocessing": "none", "mode": mode or "own"}, {"wall_s": 1.0}
        )


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Makes tournaments that nobody played."""
    return Made(tmp_path)
