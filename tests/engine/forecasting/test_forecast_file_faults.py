"""Files that look right and are not: shifted rows, ids that read as nothing, dates as numbers, clocks and slips of the
hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from forecasting.file_forecast import run_file_forecast
from forecasting.output_files import plain
from forecasting.panel_files import future_stamps, read_panel
from forecasting.table_files import PanelFileError
from tests.engine.forecasting.test_forecast_files import clock, options


def written(folder, *rows, header="unique_id,ds,y"):
    path = folder / "sales.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def fault_of(path, freq="D"):
    with pytest.raises(PanelFileError) as caught:
        read_panel(path, freq)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("A,2026-01-03,4,9", "4 fields, the header has 3"),
        ("A,2026-01-03", "2 fields, the header has 3"),
        ("", "is empty"),
    ],
)
def test_a_row_of_another_width_is_refused_and_not_shifted(tmp_path, row, fault, count):
    good = ["A,2026-01-01,3", "A,2026-01-02,5"]

    assert fault_of(written(tmp_path, *good, *[row] * count, "A,2026-01-05,1")) == f"line 4: {fault}"


def test_empty_lines_at_the_end_of_a_file_are_no_rows(tmp_path):
    assert read_panel(written(tmp_path, "A,2026-01-01,3", "A,2026-01-02,5", "", ""), "D").rows == 2


def test_a_file_with_an_empty_first_line_is_refused_with_its_line(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("\nunique_id,ds,y\nA,2026-01-01,3\n")

    assert fault_of(path) == "line 1: is empty"


def test_rows_that_are_all_one_field_wider_are_refused_and_not_shifted(tmp_path):
    path = written(tmp_path, "A,2026-01-01,3,1", "A,2026-01-02,5,1")

    assert fault_of(path) == "line 2: 4 fields, the header has 3"


def test_ids_that_spell_nothing_are_ids(tmp_path):
    path = written(tmp_path, *(f"{i},2026-01-0{d},{d}" for i in ("NA", "nan", "null", "None") for d in (1, 2)))

    panel = read_panel(path, "D").panel

    assert panel.ids == ("NA", "None", "nan", "null")
    assert panel.values.tolist() == [[1.0, 2.0]] * 4


def test_an_unknown_quantity_is_a_gap_however_it_is_spelt(tmp_path):
    spelt = ["", "NA", "NaN", "null", "None", "N/A"]
    path = written(tmp_path, *(f"A,2026-01-{d:02},{y}" for d, y in enumerate(["1", *spelt, "2"], start=1)))

    values = read_panel(path, "D").panel.values[0]

    assert np.isnan(values).tolist() == [False, *[True] * 6, False]


@pytest.mark.parametrize(
    ("freq", "days", "future"),
    [
        ("D", (20240130, 20240131), [20240201, 20240202]),
        ("W", (20240122, 20240129), [20240205, 20240212]),
        ("M", (20240131, 20240229), [20240331, 20240430]),
        ("M", (20231101, 20231201), [20240101, 20240201]),
        ("M", (202311, 202312), [202401, 202402]),
        ("Q", (20230630, 20230930), [20231231, 20240331]),
        ("Y", (20230101, 20240101), [20250101, 20260101]),
        ("D", (8, 9), [10, 11]),
        ("H", (20240131, 20240132), [20240133, 20240134]),
        ("D", (20240140, 20240141), [20240142, 20240143]),
    ],
)
def test_dates_written_as_numbers_go_on_as_dates(tmp_path, freq, days, future):
    file = read_panel(written(tmp_path, *(f"A,{d},3" for d in days)), freq)

    assert file.panel.values.tolist() == [[3.0, 3.0]]
    assert future_stamps(file, 2).tolist() == future


def test_dates_written_as_numbers_are_written_back_as_numbers(tmp_path):
    days = pd.date_range("2024-01-01", periods=60).strftime("%Y%m%d")
    path = written(tmp_path, *(f"A,{d},{i % 3}" for i, d in enumerate(days)))

    run_file_forecast(options(tmp_path, path), clock)

    assert pd.read_csv(tmp_path / "out.csv").ds.tolist() == list(range(20240301, 20240308))


def test_one_number_that_is_no_date_among_dates_is_named(tmp_path):
    path = written(tmp_path, "A,20240130,3", "A,20240131,3", "A,20240132,3")

    assert fault_of(path) == "line 4: column ds: 20240132 is no date of the calendar; write dates as 2024-01-31"


def test_seconds_where_days_are_meant_are_named_with_series_and_line(tmp_path):
    path = written(tmp_path, "A,1704067200,3", "A,1704153600,3", "B,1704412800,3")

    assert fault_of(path) == (
        "line 4: column ds: 1704412800 of 'B' makes 345,601 periods of --freq D × 2 series; at most 200,000 periods "
        "and 200,000,000 cells. A wrong date, or seconds where periods are meant?"
    )


def test_a_panel_of_too_many_cells_is_named_before_memory_runs_out(tmp_path):
    path = written(tmp_path, *(f"S{i},{i % 2 * 190_000},3" for i in range(1100)))

    assert "makes 190,001 periods of --freq D × 1,100 series" in fault_of(path)


@pytest.mark.parametrize("freq", ["H", "D", "W", "M"])
def test_a_slip_in_the_century_is_named(tmp_path, freq):
    path = written(tmp_path, "A,2024-01-01,3", "A,1024-01-02,3")

    assert fault_of(path, freq) == "line 3: column ds: '1024-01-02' is not between the years 1900 and 2100"


CHANGE = ("2024-03-30T00:00:00+01:00", "2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00")


def test_days_keep_their_date_across_a_clock_change(tmp_path):
    file = read_panel(written(tmp_path, *(f"A,{d},{i}" for i, d in enumerate(CHANGE))), "D")

    assert file.panel.values.tolist() == [[0.0, 1.0, 2.0]]
    assert [str(d) for d in future_stamps(file, 1)] == ["2024-04-02 00:00:00"]


def test_hours_across_a_clock_change_are_counted_in_utc(tmp_path):
    hours = ("2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00", "2024-10-27T03:00:00+01:00")

    file = read_panel(written(tmp_path, *(f"A,{d},{i}" for i, d in enumerate(hours))), "H")

    assert file.panel.values.tolist() == [[0.0, 1.0, 2.0]]
    assert [str(d) for d in future_stamps(file, 1)] == ["2024-10-27 03:00:00+00:00"]


@pytest.mark.parametrize(
    "ds",
    ["2024-13-01", "31.01.2024", "2024-01-01T25:00+01:00", "99999-01-01", "True", "7.5", "1e30", "NaT", "NA", "+01:00"],
)
@pytest.mark.parametrize("freq", ["D", "H"])
def test_a_ds_that_cannot_be_read_is_one_line(tmp_path, ds, freq):
    assert fault_of(written(tmp_path, f"A,{ds},3"), freq).startswith("line 2: column ds: ")
    assert fault_of(written(tmp_path, "A,2024-01-01,3", f"A,{ds},3"), freq).startswith("line 3: column ds: ")


@pytest.mark.parametrize("ds", [[True, False], [b"x", b"y"], [1.5, 2.5], [1e300, 2.0]])
def test_a_ds_of_another_kind_in_parquet_is_one_line(tmp_path, ds):
    path = tmp_path / "sales.parquet"
    pd.DataFrame({"unique_id": ["A", "B"], "ds": ds, "y": [1.0, 2.0]}).to_parquet(path)

    assert "column ds:" in fault_of(path)


@pytest.mark.parametrize("y", ["1e308", "-1e16"])
def test_a_quantity_no_shop_can_sell_is_refused_with_its_line(tmp_path, y):
    path = written(tmp_path, "A,2026-01-01,3", f"A,2026-01-02,{y}")

    assert fault_of(path).startswith("line 3: column y: ")
    assert fault_of(path).endswith(" is beyond 10^15")


def test_the_report_writes_null_for_what_json_cannot_say():
    report = {"a": [float("nan"), 1.5, {"b": float("inf")}], "c": (float("-inf"), "x", None, 3)}

    assert json.dumps(plain(report), allow_nan=False) == '{"a": [null, 1.5, {"b": null}], "c": [null, "x", null, 3]}'


@pytest.mark.parametrize("text", ["inf", "nan", "-1", "0", "soon"])
def test_a_budget_is_a_finite_number_of_seconds(text):
    from argparse import ArgumentTypeError

    from forecasting.management.commands.forecast import seconds_of

    with pytest.raises(ArgumentTypeError, match="a number of seconds above 0 expected"):
        seconds_of(text)
