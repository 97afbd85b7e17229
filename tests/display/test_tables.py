"""Tables in plain text."""

import numpy as np
import pytest

from musegen_lib.display.tables import table


def test_numbers_stand_flush_right_and_words_flush_left(capsys):
    table([{"a": "long name", "b": np.float64(-0.001)}, {"a": "x", "b": 12.0}], decimals=1)
    assert capsys.readouterr().out.splitlines() == ["a             b", "long name   0.0", "x          12.0"]


@pytest.mark.parametrize(("rows", "fault"), [([], "one row"), ([{"a": 1}, {"b": 1}], "columns b, the first has a")])
def test_rows_that_make_no_table_are_refused(rows, fault):
    with pytest.raises(ValueError, match=fault):
        table(rows)
