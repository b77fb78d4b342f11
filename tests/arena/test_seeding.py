"""Seeds: pure functions of the root, the stream and the episode."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import seeding
from arena.errors import InvalidValue
from arena.seeding import Stream


@pytest.mark.parametrize("seed", [-1, 1.5, "3", None, True])
def test_a_seed_that_is_no_whole_number_from_0_on_is_refused(seed):
    with pytest.raises(InvalidValue, match="a seed is a whole number of at least 0"):
        seeding.check_seed(seed)


@pytest.mark.parametrize("seed", [0, 7, 2**70, np.int64(3)])
def test_a_seed_may_be_as_large_as_one_likes(seed):
    assert seeding.check_seed(seed) == int(seed)


@given(root=st.integers(0, 2**70), stream=st.sampled_from(Stream), episode=st.integers(0, 2**40))
def test_an_episode_seed_fits_into_31_bits_and_its_two_highest_name_the_stream(root, stream, episode):
    seed = seeding.episode_seed(root, stream, episode)
    assert 0 <= seed < 2**31
    assert seed >> 29 == stream


def test_streams_never_share_a_seed_and_episodes_rarely():
    seeds = {(s, i): seeding.episode_seed(0, s, i) for s, i in itertools.product(Stream, range(500))}
    assert len(set(seeds.values())) == len(seeds)


def test_an_episode_seed_depends_on_the_root():
    assert seeding.episode_seed(0, Stream.TRAINING, 0) != seeding.episode_seed(1, Stream.TRAINING, 0)


def test_named_generators_repeat_themselves_and_differ_by_name_and_root():
    def first(root, name):
        return seeding.generator(root, name).random()

    assert first(3, "replay") == first(3, "replay")
    assert len({first(3, "replay"), first(3, "exploration"), first(4, "replay")}) == 3


def test_a_derived_seed_is_a_31_bit_number_of_its_name():
    seeds = [seeding.derived_seed(0, name) for name in ("network", "player", "network")]
    assert seeds[0] == seeds[2] != seeds[1]
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_row_keys_and_draws_are_those_of_splitmix64():
    # The first outputs of SplitMix64 from the state 0, as published with its reference code.
    assert seeding.row_keys(np.array([0])).tolist() == [0xE220A8397B1DCDAF]
    draw, following = seeding.row_uniform(np.array([0], np.uint64))
    assert draw[0] == (0xE220A8397B1DCDAF >> 11) / 2**53
    assert seeding.row_uniform(following)[0][0] == (0x6E789E6AA1B965F4 >> 11) / 2**53


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=8), st.integers(0, 7))
def test_a_rows_draws_do_not_depend_on_the_rows_around_it(seeds, row):
    row %= len(seeds)
    keys = seeding.row_keys(np.array(seeds))
    for draw in (seeding.row_uniform, lambda keys: seeding.row_normal(keys, 3)):
        together, alone = draw(keys), draw(keys[row : row + 1])
        assert np.array_equal(together[0][row], alone[0][0])
        assert together[1][row] == alone[1][0]


def test_uniforms_and_normals_have_the_moments_of_their_names():
    draws, keys = seeding.row_uniform(seeding.row_keys(np.arange(20_000)))
    # Mean 1/2 with deviation 1 / sqrt(12 * 20,000) = .002; five of them.
    assert abs(draws.mean() - 0.5) < 0.0102
    assert 0.0 <= draws.min() < draws.max() < 1.0
    normals, _ = seeding.row_normal(keys, 2)
    # 40,000 draws: the mean has a deviation of .005, the variance one of sqrt(2 / 40,000) = .007.
    assert abs(normals.mean()) < 0.025
    assert abs(normals.var() - 1.0) < 0.036
    assert abs(np.corrcoef(normals.T)[0, 1]) < 0.036
