"""A tournament is checked against what there is before anything runs."""

import numpy as np
import pytest

from arena import functions, policy
from arena.errors import ArenaError
from arena.tournaments.checking import check
from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig
from envs import make

TWO = [Entrant(ref="random"), Entrant(ref="random", name="other")]
GAME = [EnvEntry(id="tic_tac_toe")]
CART = [EnvEntry(id="CartPole-v1")]
PLAYER = "from arena.agent import Player\nraise SystemExit('imported')\nclass Mine(Player):\n    pass\n"


def league(*agents, envs=CART):
    return TournamentConfig(agents=list(agents), envs=envs)


def cup(*agents, envs=GAME, **keys):
    return TournamentConfig(format="round-robin", agents=list(agents) or TWO, envs=envs, **keys)


def test_every_entrant_gets_a_name_and_a_reference_that_holds_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLAYER)
    checked = check(league(Entrant(ref="mine.py:Mine"), *TWO))  # and its code was not run
    assert [(agent.name, agent.ref) for agent in checked.config.agents] == [
        ("Mine", f"{tmp_path / 'mine.py'}:Mine"),
        ("random", "random"),
        ("other", "random"),
    ]
    assert [source.is_ours for source in checked.sources.values()] == [False, True, True]
    assert checked.caps == [500]
    assert [(entrant.name, env) for entrant, env in checked.places()] == [("Mine", 0), ("random", 0), ("other", 0)]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (league(Entrant(ref="randm")), "agent[1].ref: unknown agent 'randm'; did you mean 'random'?"),
        (league(TWO[0], TWO[0]), "agent[2].name: 'random' and 'random' are both named 'random'"),
        (league(Entrant(ref="random", train=5)), "agent[1].train: 'random' does not learn"),
        (league(Entrant(ref="random", settings={"depth": 2})), "agent[1].settings: unknown key of random's settings"),
        (
            league(Entrant(ref="dqn", settings={"batch_size": 0})),
            "agent[1].settings: dqn's settings: batch_size = 0: ",
        ),
        (league(*TWO, envs=[*CART, EnvEntry(id="CartPole-v7")]), "env[2].id: unknown environment 'CartPole-v7'"),
        (
            league(*TWO, envs=[EnvEntry(id="CartPole-v1", preprocess="atari")]),
            "env[1].preprocess: preprocessing 'atari' is for ALE/* games",
        ),
        (
            league(*TWO, envs=[EnvEntry(id="CartPole-v1", settings={"gravity": 9})]),
            "env[1].settings: unknown setting of CartPole-v1 'gravity'",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(config, message):
    with pytest.raises(ArenaError) as caught:
        check(config)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_a_strangers_learner_is_trained_only_where_it_is_trusted(tmp_path):
    (tmp_path / "mine.py").write_text('open(__file__ + ".ran", "w")\n\n\nclass Mine: ...\n')
    with pytest.raises(ArenaError, match=r"agent\[1\].train: .* would learn in this process, with your rights"):
        check(league(Entrant(ref=f"{tmp_path / 'mine.py'}:Mine", train=5)))
    assert not (tmp_path / "mine.py.ran").exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (cup(envs=CART), "env[1].id: CartPole-v1 is for one player; a round-robin has games of two"),
        (
            league(*TWO, envs=[*CART, *GAME]),
            "env[2].id: tic_tac_toe is for 2 players; give a format of games, like `round-robin`",
        ),
        (cup(opening_plies=9), "opening_plies: opening_plies of tic_tac_toe is less than the longest game's 9, not 9"),
        (
            cup(envs=[EnvEntry(id="tic_tac_toe", settings={"opening_plies": 9})]),
            "env[1].settings: opening_plies of tic_tac_toe is less than the longest game's 9, not 9",
        ),
        (cup(TWO[0]), "agent: a round-robin needs at least two agents"),
    ],
)
def test_an_environment_has_as_many_players_as_the_format(config, message):
    pytest.importorskip("pyspiel", reason="the extra two-player is not installed")
    with pytest.raises(ArenaError) as caught:
        check(config)
    assert str(caught.value).startswith(message)


def test_games_are_made_with_the_tournaments_opening():
    pytest.importorskip("pyspiel", reason="the extra two-player is not installed")
    assert [dict(stand.settings) for stand in check(cup(opening_plies=2)).stands] == [{"opening_plies": 2}]


def test_a_file_that_can_hold_code_needs_trust(tmp_path, monkeypatch):
    from arena import sources
    from arena.tournaments import checking

    source = sources.Source("sb3:ppo:model.zip", "model", "sha256:0", False, sources.Kind.SB3)
    monkeypatch.setattr(checking, "locate", lambda ref: source)
    with pytest.raises(ArenaError, match=r"^agent\[1\]\.trust: sb3:ppo:model\.zip can hold code"):
        check(league(Entrant(ref="sb3:ppo:model.zip")))
    assert check(league(Entrant(ref="sb3:ppo:model.zip", trust=True))).sources == {"model": source}


def test_a_saved_policy_has_no_settings(tmp_path):
    spec = make("Taxi-v4").spec
    table = functions.Table(np.zeros((500, 6)))
    path = policy.save(policy.Policy(table, policy.Card.of("table", spec, "greedy", {})), tmp_path / "policy")
    with pytest.raises(
        ArenaError, match=r"^agent\[1\]\.settings: .* is a saved policy, which has none; leave them out$"
    ):
        check(league(Entrant(ref=str(path), settings={"discount": 0.9}), envs=[EnvEntry(id="Taxi-v4")]))
