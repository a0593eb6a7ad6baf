"""`manage.py forecast`: files in, files out; bad input is one line that names file, line and column, and nothing is
written."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from forecasting.file_forecast import FileForecast, run_file_forecast
from forecasting.panel_files import future_stamps, read_panel
from forecasting.table_files import PanelFileError
from tests.engine.forecasting.panels import shop


def clock() -> float:
    return 0.0


def long_table(n: int = 12, periods: int = 120) -> pd.DataFrame:
    values = shop(n, periods)
    days = pd.date_range("2026-01-05", periods=periods)
    ids = np.repeat([f"00{i}" for i in range(n)], periods)
    return pd.DataFrame({"unique_id": ids, "ds": np.tile(days.to_numpy(), n), "y": values.ravel()})


def options(folder, source, **more) -> FileForecast:
    return FileForecast(source=source, out=folder / "out.csv", horizon=7, **more)


@pytest.fixture
def panel_csv(tmp_path):
    path = tmp_path / "sales.csv"
    long_table().to_csv(path, index=False)
    return path


def test_the_three_outputs_hold_the_columns_of_the_contract(tmp_path, panel_csv):
    given = options(
        tmp_path, panel_csv, windows=(3, 7), windows_out=tmp_path / "sums.parquet", report=tmp_path / "report.json"
    )

    run_file_forecast(given, clock)

    steps, sums = (
        pd.read_csv(tmp_path / "out.csv", dtype={"unique_id": str}),
        pd.read_parquet(tmp_path / "sums.parquet"),
    )
    names = ["mean", "q_0.5", "q_0.8", "q_0.9", "q_0.95", "q_0.99"]
    assert steps.columns.tolist() == ["unique_id", "ds", *names]
    assert sums.columns.tolist() == ["unique_id", "window", *names]
    assert steps.unique_id.unique()[0] == "000"
    assert steps.ds.iloc[:7].tolist() == [f"2026-05-{d:02}" for d in range(5, 12)]
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report["series"]["000"]) >= {"method", "reason", "backtest", "fallback"}
    assert {"seconds", "series_per_second", "peak_memory_mb"} <= set(report)


@pytest.mark.parametrize("name", ["sales.csv.gz", "sales.parquet"])
def test_other_kinds_of_file_give_the_same_forecast(tmp_path, panel_csv, name):
    table, other = long_table(), tmp_path / name
    table.to_csv(other, index=False) if name.endswith("gz") else table.to_parquet(other)

    run_file_forecast(options(tmp_path, panel_csv), clock)
    expected = (tmp_path / "out.csv").read_text()
    run_file_forecast(options(tmp_path, other), clock)

    assert (tmp_path / "out.csv").read_text() == expected


def test_missing_periods_are_zeros_up_to_the_last_period_of_the_panel(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("unique_id,ds,y\nA,2026-01-02,3\nA,2026-01-04,5\nB,2026-01-01,1\nB,2026-01-06,\n")

    panel = read_panel(path, "D").panel

    assert panel.starts.tolist() == [1, 0]
    assert panel.values[0, 1:].tolist() == [3, 0, 5, 0, 0]
    assert np.isnan(panel.values[1, 5])


def test_whole_numbers_and_months_go_on_in_their_own_manner(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("unique_id,ds,y\nA,7,3\nA,9,5\n")
    assert future_stamps(read_panel(path, "M"), 2).tolist() == [10, 11]

    path.write_text("unique_id,ds,y\nA,2026-01-31,3\nA,2026-02-28,5\n")
    assert [str(d.date()) for d in future_stamps(read_panel(path, "M"), 2)] == ["2026-03-31", "2026-04-30"]

    path.write_text("unique_id,ds,y\nA,2026-01-01,3\nA,2026-02-01,5\n")
    assert [str(d.date()) for d in future_stamps(read_panel(path, "M"), 2)] == ["2026-03-01", "2026-04-01"]


BAD = {
    "id,ds,y\nA,2026-01-01,1\n": "line 1: missing column unique_id (found: id, ds, y)",
    "unique_id,ds\nA,2026-01-01\n": "line 1: missing column y (found: unique_id, ds)",
    "unique_id,ds,y\nA,2026-01-01,1\nA,2026-01-02,many\n": "line 3: column y: 'many' is not a number",
    "unique_id,ds,y\nA,yesterday,1\n": "line 2: column ds: 'yesterday' is not a date",
    "unique_id,ds,y\nA,2026-01-01,1\n,2026-01-02,1\n": "line 3: column unique_id: is empty",
    "unique_id,ds,y\nA,2026-01-01,1\nA,2026-01-01,2\n": "line 3: column ds: second row of 'A' in the same period",
    "unique_id,ds,y,in_stock\nA,2026-01-01,1,7\n": "line 2: column in_stock: 7 is not a share between 0 and 1",
    "unique_id,ds,y\n": "line 2: no rows below the header",
    "": "line 1: empty file; missing column unique_id, ds, y",
}


@pytest.mark.parametrize("content", BAD)
def test_a_bad_file_is_named_in_one_line_and_nothing_is_written(tmp_path, content):
    path = tmp_path / "bad.csv"
    path.write_text(content)

    with pytest.raises(PanelFileError) as caught:
        run_file_forecast(options(tmp_path, path), clock)

    assert str(caught.value).startswith(f"{path}: {BAD[content]}")
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


def test_another_encoding_is_named_with_its_line(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("unique_id,ds,y\nA,2026-01-01,1\nCafé,2026-01-01,1\n".encode("latin-1"))

    with pytest.raises(PanelFileError, match=r"latin\.csv: line 3: not UTF-8"):
        read_panel(path, "D")


def test_a_truncated_gzip_is_named_with_its_line(tmp_path):
    path = tmp_path / "cut.csv.gz"
    whole = gzip.compress(long_table().to_csv(index=False).encode())
    path.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(PanelFileError, match=r"cut\.csv\.gz: line \d+: gzip file is damaged or ends early"):
        read_panel(path, "D")


@pytest.mark.parametrize("name", ["none.csv", "text.parquet", "sales.xlsx"])
def test_missing_and_unknown_files_are_named(tmp_path, name):
    if name != "none.csv":
        (tmp_path / name).write_text("hello")

    with pytest.raises(PanelFileError, match=name.replace(".", r"\.")):
        read_panel(tmp_path / name, "D")


def test_the_number_of_processes_does_not_change_the_result(tmp_path, monkeypatch):
    monkeypatch.setattr("forecasting.file_forecast.PART", 6)
    path = tmp_path / "sales.parquet"
    long_table(12, 90).to_parquet(path)

    run_file_forecast(options(tmp_path, path, jobs=1), clock)
    alone = (tmp_path / "out.csv").read_text()
    run_file_forecast(options(tmp_path, path, jobs=2), clock)

    assert (tmp_path / "out.csv").read_text() == alone


def test_the_command_says_one_line_and_fails_with_status_one(tmp_path):
    from django.core.management import CommandError, call_command

    from forecasting.management.commands.forecast import Command

    with pytest.raises(CommandError, match=r"none\.csv: no such file") as caught:
        call_command(Command(), tmp_path / "none.csv", out=tmp_path / "out.csv")

    assert caught.value.returncode == 1
    assert not (tmp_path / "out.csv").exists()


def test_the_command_runs_without_system_checks_or_database(tmp_path, panel_csv):
    from django.core.management import call_command

    from forecasting.management.commands.forecast import Command

    call_command(
        Command(),
        str(panel_csv),
        "--out",
        str(tmp_path / "f.parquet"),
        "--horizon",
        "3",
        "--season",
        "7",
        "--jobs",
        "1",
    )

    assert len(pd.read_parquet(tmp_path / "f.parquet")) == 36
    assert Command.requires_system_checks == []
