"""Further columns, --static and --future become covariates; what they leave open is assumed and named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecasting.file_forecast import run_file_forecast
from forecasting.panel_files import read_panel
from forecasting.table_files import PanelFileError
from tests.engine.forecasting.test_forecast_files import clock, long_table, options


def written(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def sales(tmp_path):
    return written(
        tmp_path,
        "sales.csv",
        "unique_id,ds,y,price,promotion,event\n"
        "A,2026-01-01,3,2.5,0,\nA,2026-01-02,5,,1,fair\nA,2026-01-04,1,3.5,0,rain\nB,2026-01-04,1,9,0,\n",
    )


def test_columns_without_a_future_are_known_of_the_past_only(sales):
    file = read_panel(sales, "D")

    past = file.panel.covariates.past
    assert past["price"].tolist() == [[2.5, 2.5, 2.5, 3.5], [9, 9, 9, 9]]
    assert past["promotion"].tolist() == [[0, 1, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(past["event=fair"], [[0, 1, np.nan, 0], [np.nan, np.nan, np.nan, 0]])
    assert file.panel.covariates.known == {}
    assert set(file.covariates) == {"price", "promotion", "event=fair", "event=rain"}


def test_the_future_makes_price_and_promotion_known_ahead_and_fills_what_it_leaves_open(tmp_path, sales):
    future = written(tmp_path, "future.csv", "unique_id,ds,promotion\nA,2026-01-06,1\nZ,2026-01-06,1\n")

    file = read_panel(sales, "D", future=future, ahead=3)

    known = file.panel.covariates.known
    assert known["promotion"].tolist() == [[0, 1, 0, 0, 0, 1, 0], [0] * 7]
    assert known["price"].tolist() == [[2.5, 2.5, 2.5, 3.5, 3.5, 3.5, 3.5], [9] * 7]
    assert file.covariates["promotion"] == "known ahead; 5 future periods of 2 series not given: no promotion"
    assert file.covariates["price"] == (
        "not in --future; 6 future periods of 2 series not given: the last price carried on"
    )


def test_a_future_column_given_by_half_names_series_and_field(tmp_path, sales):
    future = written(tmp_path, "future.csv", "unique_id,ds,footfall\nB,2026-01-05,70\nB,2026-01-06,90\n")

    with pytest.raises(PanelFileError) as caught:
        read_panel(sales, "D", future=future, ahead=3)

    assert str(caught.value) == (
        f"{future}: column footfall: series 'B' has 2 of 3 future periods; period 3 after the last one is missing. "
        "Give all of them or none"
    )


def test_a_future_column_may_say_nothing_of_a_series(tmp_path, sales):
    rows = "".join(f"B,2026-01-0{d},{d}\n" for d in (4, 5, 6, 7))
    future = written(tmp_path, "future.csv", f"unique_id,ds,footfall\n{rows}")

    file = read_panel(sales, "D", future=future, ahead=3)

    np.testing.assert_array_equal(
        file.panel.covariates.known["footfall"], [[np.nan] * 7, [np.nan, np.nan, np.nan, 4, 5, 6, 7]]
    )
    assert file.covariates["footfall"] == "known ahead; 3 future periods of 1 series not given: unknown"


def test_static_columns_are_numbers_or_categories_of_the_series(tmp_path, sales):
    static = written(tmp_path, "static.csv", "unique_id,weight,family\nB,1.5,tea\nC,2,mug\n")

    file = read_panel(sales, "D", static=static)

    np.testing.assert_array_equal(file.panel.covariates.static["weight"], [np.nan, 1.5])
    assert file.panel.covariates.categories["family"].tolist() == [-1, 1]
    assert file.covariates["family"] == "category; unknown for 1 series"


def test_a_series_twice_in_the_static_file_is_named(tmp_path, sales):
    static = written(tmp_path, "static.csv", "unique_id,weight\nB,1\nB,2\n")

    with pytest.raises(PanelFileError, match=r"static\.csv: line 3: column unique_id: 'B' stands twice"):
        read_panel(sales, "D", static=static)


def test_a_future_of_another_kind_of_date_is_named(tmp_path, sales):
    future = written(tmp_path, "future.csv", "unique_id,ds,promotion\nA,7,1\n")

    with pytest.raises(PanelFileError, match=r"future\.csv: column ds: dates expected, as in the panel"):
        read_panel(sales, "D", future=future, ahead=3)


def test_weeks_of_the_future_are_counted_from_the_panels_first_day(tmp_path):
    sales = written(tmp_path, "sales.csv", "unique_id,ds,y\nA,2026-01-04,3\nA,2026-01-11,5\n")
    future = written(tmp_path, "future.csv", "unique_id,ds,promotion\nA,2026-01-25,1\n")

    file = read_panel(sales, "W", future=future, ahead=2)

    assert file.panel.covariates.known["promotion"].tolist() == [[0, 0, 0, 1]]


def test_the_report_tells_what_was_made_of_each_covariate_and_what_was_not_read(tmp_path):
    path, future = tmp_path / "sales.csv", tmp_path / "future.csv"
    long_table(3, 60).assign(price=2.5, views=7).to_csv(path, index=False)
    future.write_text("unique_id,ds,promotion\n000,2026-03-06,1\n")

    report = run_file_forecast(options(tmp_path, path, future=future), clock)

    assert sorted(report["covariates"]) == ["price", "promotion", "views"]
    assert report["unused_covariates"] == ["price", "views"]  # cleaning reads promotion


def test_rows_in_any_order_make_the_same_panel(tmp_path):
    table = long_table(4, 60).assign(price=lambda t: 2.0 + t.y)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.sample(frac=1, random_state=3).to_csv(tmp_path / "b.csv", index=False)

    one, other = (read_panel(tmp_path / name, "D").panel for name in ("a.csv", "b.csv"))

    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.covariates.past["price"], other.covariates.past["price"])


def test_a_categorical_column_of_parquet_is_read_like_text(tmp_path):
    table = long_table(4, 60)
    table["unique_id"] = table.unique_id.astype("category")
    table.to_parquet(tmp_path / "a.parquet")

    assert read_panel(tmp_path / "a.parquet", "D").panel.ids == ("000", "001", "002", "003")


def test_whole_number_ids_of_parquet_are_text_in_order(tmp_path):
    pd.DataFrame({"unique_id": [10, 9, 10], "ds": [1, 1, 2], "y": [1.0, 2.0, 3.0]}).to_parquet(tmp_path / "a.parquet")

    panel = read_panel(tmp_path / "a.parquet", "D").panel

    assert (panel.ids, panel.values.tolist()) == (("10", "9"), [[1, 3], [2, 0]])
