"""Where the real sets are, for tests that need them."""

import os
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get("ARENA_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real sets (mnist, colors, ...); tests that use it skip where there is none."""
    if not (REAL_DATA / "mnist").is_dir():
        pytest.skip(f"the real sets are not in {REAL_DATA}; ARENA_REAL_DATA names another folder")
    return REAL_DATA
