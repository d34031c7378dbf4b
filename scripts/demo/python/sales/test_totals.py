"""What the totals must be."""

from __future__ import annotations

from pathlib import Path

from .totals import totals

HEADER = "city,sold\n"


def test_rows_of_one_city_are_added_up() -> None:
    assert totals([HEADER, "Oslo,3\n", "Rome,5\n", "Oslo,4\n"]) == {"Oslo": 7, "Rome": 5}


def test_an_empty_table_has_no_totals() -> None:
    assert totals([HEADER]) == {}


def test_a_table_may_come_from_a_file(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(HEADER + "Oslo,3\n")
    with table.open(newline="") as lines:
        assert totals(lines) == {"Oslo": 3}
