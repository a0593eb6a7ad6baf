"""What receipts and open orders teach about lead times."""

import numpy as np
import pytest

from procurement.engine.errors import ParameterError
from procurement.engine.lead_times.censored import fit_censored
from procurement.engine.lead_times.learn import learn_lead_times
from procurement.engine.lead_times.types import Observations


def seen(days, *, supplier=1, item=None, shipment=None, is_open=None, units=1.0, promised=None):
    count = len(days)
    return Observations(
        supplier=np.broadcast_to(np.asarray(supplier), count).astype(np.int64),
        item=np.arange(count) if item is None else np.broadcast_to(np.asarray(item), count).astype(np.int64),
        shipment=np.arange(count) if shipment is None else np.asarray(shipment, dtype=np.int64),
        days=np.asarray(days, dtype=float),
        is_open=np.zeros(count, bool) if is_open is None else np.asarray(is_open),
        units=np.broadcast_to(np.asarray(units, dtype=float), count).copy(),
        promised=np.empty(0) if promised is None else np.asarray(promised, dtype=float),
    )


def test_a_gamma_lead_time_is_found_again():
    days = np.random.default_rng(3).gamma(4.0, 5.0, 4000)

    _, _, everything = learn_lead_times(seen(days, item=1))

    assert (everything.mean, everything.sd) == (pytest.approx(20, rel=0.02), pytest.approx(10, rel=0.03))
    assert (everything.shape, everything.scale) == (pytest.approx(4, rel=0.07), pytest.approx(5, rel=0.07))
    assert everything.quantile(0.95) == pytest.approx(38.8, rel=0.03)


def test_open_orders_are_information_and_not_left_out():
    true, so_far = np.random.default_rng(3).gamma(4.0, 5.0, 4000), 18.0
    is_open = true > so_far

    mean, _ = fit_censored(np.minimum(true, so_far), np.ones(4000), is_open)
    left_out = true[~is_open].mean()

    assert mean == pytest.approx(20, rel=0.06)
    assert left_out < 14


def test_the_lines_of_one_shipment_count_once_for_the_supplier():
    days, shipment = [10.0] * 9 + [30.0], [1] * 9 + [2]

    _, suppliers, _ = learn_lead_times(seen(days, shipment=shipment))

    assert suppliers[1].mean == pytest.approx(20)
    assert suppliers[1].observations == 2


def test_part_receipts_of_a_line_count_at_their_mean_day():
    observed = seen([10.0, 20.0, 99.0], item=5, shipment=[1, 1, 1], units=[30, 10, 5], is_open=[False, False, True])

    _, _, everything = learn_lead_times(observed)

    assert everything.mean == pytest.approx(12.5)  # 30 units after 10 days, 10 after 20; the rest is still to come


def test_few_deliveries_lean_on_the_supplier_and_many_do_not():
    rng = np.random.default_rng(1)
    many, few = rng.gamma(16.0, 2.5, 200), np.array([10.0])
    others = rng.gamma(16.0, 1.25, 200)
    observed = seen(np.concatenate([many, few, others]), item=[1] * 200 + [2] + [3] * 200)

    profiles, suppliers, _ = learn_lead_times(observed)

    assert profiles[1, 1].mean == pytest.approx(many.mean(), rel=0.02)
    assert few[0] < profiles[1, 2].mean < suppliers[1].mean
    assert profiles[1, 2].own_weight == pytest.approx(0.2)  # 1/(1 + 4)
    assert profiles[1, 2].sd > 0


def test_a_suppliers_word_holds_until_deliveries_say_otherwise():
    observed = seen([30.0, 30.0, 30.0, 30.0], item=1)

    _, suppliers, _ = learn_lead_times(observed, stated={1: 20.0, 9: 14.0})

    assert suppliers[1].mean == pytest.approx(25)  # 4 of 4 + 4
    assert suppliers[9].mean == 14


def test_a_lost_parcel_is_no_lead_time():
    _, _, everything = learn_lead_times(seen([10.0] * 99 + [5000.0], item=1))

    assert everything.mean < 11


def test_the_bias_of_promises_is_learnt():
    _, suppliers, _ = learn_lead_times(seen([12.0, 14.0], promised=[10.0, np.nan]))

    assert suppliers[1].promised_bias == 2


def test_nothing_seen_teaches_nothing_and_bad_days_are_named():
    assert learn_lead_times(seen([])) == ({}, {}, None)
    with pytest.raises(ParameterError, match="at least 0"):
        learn_lead_times(seen([-1.0]))
