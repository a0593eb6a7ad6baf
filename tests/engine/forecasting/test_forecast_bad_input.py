"""Bad input through the command: a documented result or one clear line, and no bad series stops the others."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from forecasting.management.commands.forecast import Command
from tests.engine.forecasting.panels import shop

PERIODS = 90


def table_of(**series) -> pd.DataFrame:
    days = pd.date_range("2026-01-05", periods=PERIODS)
    frames = [pd.DataFrame({"unique_id": n, "ds": days[-len(y) :], "y": y}) for n, y in series.items()]
    return pd.concat(frames, ignore_index=True)


def good(n: int = 6) -> dict[str, np.ndarray]:
    return {f"good{i}": row for i, row in enumerate(shop(n, PERIODS))}


def forecast(folder, table, *more):
    source = folder / "in.csv"
    table.to_csv(source, index=False)
    out, report = folder / "out.csv", folder / "report.json"
    call_command(
        Command(), str(source), "--out", str(out), "--report", str(report), "--jobs", "1", "--horizon", "7", *more
    )
    return pd.read_csv(out).set_index("unique_id"), json.loads(report.read_text())


def fault(folder, table, *more):
    with pytest.raises(CommandError) as caught:
        forecast(folder, table, *more)
    assert "\n" not in str(caught.value)
    assert not (folder / "out.csv").exists()
    return str(caught.value)


BAD = {
    "unknown": (np.where(np.arange(PERIODS) % 9 == 4, np.nan, 3.0), "10 unknown periods"),
    "negative": (np.where(np.arange(PERIODS) == 50, -4.0, np.tile([3.0, 4.0], 45)), "1 negative values set to 0"),
    "constant": (np.full(PERIODS, 6.0), "constant"),
    "zero": (np.zeros(PERIODS), "zero"),
    "point": (np.array([5.0]), "too short"),
    "outlier": (np.where(np.arange(PERIODS) == 60, 1e9, np.tile([3.0, 4.0], 45)), "1 one-off bulk sales capped"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_series_has_a_documented_result_and_does_not_disturb_the_others(tmp_path, name):
    values, said = BAD[name]
    (tmp_path / "alone").mkdir()

    out, report = forecast(tmp_path, table_of(**good(), bad=values))
    expected, _ = forecast(tmp_path / "alone", table_of(**good()))

    entry = report["series"]["bad"]
    assert said in " ".join([entry["method"], entry["reason"], entry["fallback"] or "", *entry["notes"]])
    numbers = out.loc["bad"].drop(columns="ds").to_numpy(dtype=float)
    assert np.isfinite(numbers).all()
    assert numbers.max() < 1e6
    assert set(out.index) == {*expected.index, "bad"}
    assert np.isfinite(out.drop(columns="ds").to_numpy(dtype=float)).all()


def test_two_rows_of_a_series_in_one_period_are_named(tmp_path):
    table = table_of(**good(2))
    twice = pd.concat([table, table.iloc[[3]]], ignore_index=True)

    message = fault(tmp_path, twice)

    assert "line 182: column ds: second row of 'good0' in the same period (first: line 5)" in message


def test_rows_out_of_order_give_the_same_forecast(tmp_path):
    table = table_of(**good(3))
    one, _ = forecast(tmp_path, table)
    other, _ = forecast(tmp_path, table.sample(frac=1, random_state=1))

    pd.testing.assert_frame_equal(one, other)


def test_weekly_rows_among_days_are_read_as_days_and_the_report_warns(tmp_path):
    table = pd.concat([table_of(**good(3)), table_of(weekly=np.full(PERIODS, 7.0)).iloc[::7]], ignore_index=True)

    out, report = forecast(tmp_path, table)

    assert report["input"]["warnings"] == [
        "series 'weekly': rows only at every 7 periods of --freq D; zeros stand between them"
    ]
    assert len(out.loc["weekly"]) == 7


def test_daily_rows_read_as_months_are_named(tmp_path):
    assert "second row of 'good0' in the same period" in fault(tmp_path, table_of(**good(1)), "--freq", "M")


def test_promotions_and_prices_missing_from_the_future_are_assumed_and_named(tmp_path):
    future = tmp_path / "future.csv"
    future.write_text("unique_id,ds,promotion\n")

    _, report = forecast(tmp_path, table_of(**good(3)).assign(price=2.0), "--future", str(future))

    assert report["covariates"]["promotion"].endswith("no promotion")
    assert report["covariates"]["price"].endswith("the last price carried on")


@pytest.mark.parametrize("horizon", ["0", "-3", "many"])
def test_a_horizon_that_is_none_is_one_line(tmp_path, horizon):
    assert "--horizon" in fault(tmp_path, table_of(**good(1)), "--horizon", horizon)


def test_a_horizon_of_ten_thousand_periods_is_answered(tmp_path):
    source = tmp_path / "in.csv"
    table_of(**good(2)).to_csv(source, index=False)

    call_command(Command(), str(source), "--out", str(tmp_path / "o.parquet"), "--jobs", "1", "--horizon", "10000")

    out = pd.read_parquet(tmp_path / "o.parquet")
    assert len(out) == 20_000
    assert np.isfinite(out["q_0.99"]).all()


def test_nothing_is_left_behind_when_a_part_fails(tmp_path, monkeypatch):
    monkeypatch.setattr("forecasting.file_forecast.PART", 2)
    monkeypatch.setattr(
        "forecasting.file_forecast.window_table", lambda part: (_ for _ in ()).throw(MemoryError("no room"))
    )
    source = tmp_path / "in.csv"
    table_of(**good(3)).to_csv(source, index=False)

    with pytest.raises(MemoryError):
        call_command(
            Command(), str(source), "--out", str(tmp_path / "o.csv"), "--windows", "7",
            "--windows-out", str(tmp_path / "w.csv"), "--jobs", "1", "--horizon", "7",
        )  # fmt: skip

    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_parts_written_one_by_one_make_one_file(tmp_path, monkeypatch, kind):
    source = tmp_path / "in.csv"
    table_of(**good(5)).to_csv(source, index=False)
    read = pd.read_parquet if kind == "parquet" else pd.read_csv
    tables = []
    for part in (2, 1024):
        monkeypatch.setattr("forecasting.file_forecast.PART", part)
        call_command(Command(), str(source), "--out", str(tmp_path / f"o.{kind}"), "--jobs", "1", "--horizon", "7")
        tables.append(read(tmp_path / f"o.{kind}"))

    pd.testing.assert_frame_equal(*tables)
