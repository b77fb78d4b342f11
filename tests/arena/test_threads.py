from __future__ import annotations

import threadpoolctl

from arena.evaluation import evaluate


def test_playing_leaves_numpy_one_thread():
    evaluate("random", "CartPole-v1", episodes=1)
    loaded = [library for library in threadpoolctl.threadpool_info() if "numpy" in library["filepath"]]
    assert [library["num_threads"] for library in loaded] == [1]
