"""Signals from files, and what is wrong with some."""

from datetime import date

import numpy as np
import pytest

from arena.components import prices
from arena.components.data import load
from arena.errors import ArenaError, DamagedFile, InvalidValue

GOOD = "\ufeffDate, usd ,source,eur\n2017-02-28,1,coindesk,0.5\n2017-03-01,2,coindesk,1.5\n2017-03-02,3.5,mtgox,2\n"


def written(tmp_path, text, name="own.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_of_numbers_are_signals(tmp_path):
    series = prices.read(written(tmp_path, GOOD))
    assert (series.start, series.names) == (date(2017, 2, 28), ("usd", "eur"))
    np.testing.assert_array_equal(series.values, [[1, 0.5], [2, 1.5], [3.5, 2]])


def test_the_last_fifth_of_the_days_is_the_test_part(tmp_path):
    lines = [f"2017-01-{day:02d},{day}" for day in range(1, 11)]
    dataset = load(written(tmp_path, "\n".join(["date,usd", *lines])), ["bitcoin"])
    assert dataset.train.inputs[:, 0].tolist() == list(range(1, 9))
    assert dataset.test.inputs[:, 0].tolist() == [9, 10]
    assert dataset.about["names"] == ("usd",)


def test_the_longer_series_is_read_where_both_are_there(tmp_path):
    written(tmp_path, GOOD, "btc_2010-07-18_2017-03-03.csv")
    assert len(load(tmp_path, ["bitcoin"]).train.inputs) == 2
    written(tmp_path, GOOD + "2017-03-03,4,x,3\n2017-03-04,5,x,4\n", "btc_usd_eur_daily.csv")
    assert len(load(tmp_path, ["bitcoin"]).train.inputs) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column 'date'; its columns are none"),
        ("day,usd\n2017-01-01,1\n", "lacks the column 'date'; its columns are day, usd"),
        ("date,usd\n", "holds no rows below its header"),
        ("date\n2017-01-01\n", "lacks columns of numbers beside 'date'"),
        ("date,usd\n2017-01-01\n", "line 2: 1 columns in the place of 2"),
        (
            "date,usd\n2017-01-01,1\n2017-01-03,2\n",
            "line 3: 2017-01-03 follows 2017-01-01; there must be a row for every",
        ),
        ("date,usd\n2017-01-01,1\n2017-01-02,\n", "line 3: usd is '', no number"),
        ("date,usd\n2017-01-01,1\n2017-01-02,nan\n", "line 3: usd is 'nan', no number"),
        ("date,usd\n1.1.2017,1\n", "line 2: '1.1.2017' is no date such as 2017-03-03"),
    ],
)
def test_gaps_and_missing_columns_are_told_in_a_line(tmp_path, text, message):
    with pytest.raises(InvalidValue, match=message) as raised:
        prices.read(written(tmp_path, text))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_table_is_told_in_a_line(tmp_path):
    binary = tmp_path / "own.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DamagedFile, match="no table of text"):
        prices.read(binary)
    zipped = tmp_path / "own.csv.gz"
    zipped.write_text(GOOD)
    with pytest.raises(DamagedFile, match="no gzipped text"):
        prices.read(zipped)
    with pytest.raises(ArenaError, match="cannot be read"):
        prices.read(tmp_path / "none.csv")
