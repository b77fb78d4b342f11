"""Games on different seeds that are the same game."""

from arena.statistics.redundancy import redundancy


def test_one_game_for_ever_is_found():
    found = redundancy((seed, "same") for seed in range(20))
    assert found == (20, 1, 20)
    assert found.is_suspicious
    assert found.describe() == "all 20 games on different seeds are the same game"


def test_few_different_games_are_found():
    found = redundancy((seed, seed % 7) for seed in range(50))
    assert found.is_suspicious
    assert found.describe("pair") == "of 50 pairs on different seeds only 7 differ"


def test_a_game_that_comes_up_more_often_than_all_others_is_found():
    assert redundancy([(seed, max(seed, 6)) for seed in range(12)]).is_suspicious  # 7 of 12


def test_some_equal_games_are_no_reason_to_worry():
    assert not redundancy([(seed, seed // 2) for seed in range(20)]).is_suspicious


def test_the_same_seed_may_give_the_same_game():
    assert redundancy([(1, "a"), (1, "a"), (2, "b")]) == (2, 2, 1)


def test_one_game_and_none_are_not_redundant():
    assert not redundancy([(0, "a")]).is_suspicious
    assert not redundancy([]).is_suspicious
