"""Which games are chosen to be filmed."""

from arena.reports.choice import of_league, of_pairs
from arena.tournaments.records import Forfeit, ForfeitType, Match

SEEDS = (5, 6, 7)


def league(made, returns):
    return [made.block(Match(0, (name,), SEEDS, 0, 1, {"agent": name}), values) for name, values in returns.items()]


def meeting(made, first, second, scores, length, number=0):
    match = Match(0, (first, second), (number, number), 2 * number, 1, {"players": [first, second], "pair": number})
    return made.pair(match, scores, length)


def test_of_a_league_the_best_the_worst_and_the_closest_are_chosen(made):
    # b comes nearest to a, the winner, on seed 6: 8 against 9.
    chosen = of_league(league(made, {"b": [1, 8, 5], "a": [20, 9, 10], "c": [0, 9, 0]}), ["a", "b", "c"])
    assert [(one.title, one.game.players, one.game.seed) for one in chosen] == [
        ("The best game", ("a",), 5),
        ("The worst game", ("c",), 5),
        ("The closest to the winner", ("b",), 6),
    ]
    assert chosen[2].text == "b: return 8 after 8 steps, seed 6, where a reached 9."


def test_of_equal_games_the_first_is_chosen_and_there_is_no_worst(made):
    chosen = of_league(league(made, {"a": [3, 3, 3]}), ["a"])
    assert [(one.title, one.game.seed) for one in chosen] == [("The best game", 5)]


def test_a_league_without_games_has_none_to_show(made):
    assert of_league(league(made, {"a": []}), ["a"]) == []


def test_of_pairs_the_best_win_the_greatest_upset_and_the_closest_are_chosen(made):
    played = [
        meeting(made, "a", "b", (1, 1), 12),
        meeting(made, "a", "b", (1, 0.5), 9, number=1),
        meeting(made, "a", "c", (1, 0), 5),  # in its second game c, the weakest, beats the strongest
        meeting(made, "b", "c", (0.5, 0.5), 30),
    ]
    chosen = of_pairs(played, {"a": 0.8, "b": 0.7, "c": 0.2})
    assert [(one.title, one.game.players, one.index) for one in chosen] == [
        ("The best game", ("a", "b"), 0),
        ("The greatest upset", ("c", "a"), 1),
        ("The closest game", ("b", "a"), 1),
    ]
    assert chosen[0].game.length == 9
    assert chosen[1].text == "c beats a after 5 plies from the opening (c begins, seed 0)."


def test_a_game_is_shown_once(made):
    chosen = of_pairs([meeting(made, "a", "b", (1, 1), 9)], {"a": 1.0, "b": 0.0})
    assert [(one.title, one.index) for one in chosen] == [("The best game", 0), ("The worst game", 1)]


def test_forfeited_games_are_no_games_to_watch(made):
    played = meeting(made, "a", "b", (1, 1), 9)
    given = [Forfeit(played.match.id, game, "b", ForfeitType.CRASH, "it fell") for game in (0, 1)]
    assert of_pairs([type(played)(played.match, played.games, tuple(given))], {"a": 1.0, "b": 0.0}) == []
