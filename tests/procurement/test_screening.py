"""Many are asked at once which are below their reorder point: none that is due may be passed over."""

from dataclasses import replace

import numpy as np
import pytest

from procurement.engine.policies.types import POLICY_MODELS, TARGET_KINDS
from procurement.engine.replenishment import plan_item
from procurement.engine.replenishment_types import ReplenishmentInput
from procurement.services import screening

LEVELS = (0.5, 0.75, 0.9, 0.95, 0.99)
ROWS = 480


def random_item(rng, number):
    """Of any target, model, fate of unmet demand, pack, limit and lead time; counts and amounts."""
    mean, lead, review = float(np.exp(rng.normal(2.5, 1.6))), float(rng.integers(0, 60)), float(rng.choice([1, 7, 14]))
    units = np.sort(mean * rng.gamma(2.0, 0.6, 5) + mean * np.linspace(0.1, 2.0, 5))
    units = np.ceil(units) if number % 2 else units
    return ReplenishmentInput(
        sku_key=str(number), mean_daily_demand=mean / (lead + review), lead_time_days=lead, review_days=review,
        lead_time_sd_days=float(rng.choice([0.0, 0.1, 0.5])) * lead, lead_times_cross=bool(rng.integers(2)),
        protection_mean=mean, protection_sd=mean * 0.6,
        protection_quantiles=dict(zip(LEVELS, units.tolist(), strict=True)),
        target_kind=TARGET_KINDS[number % 3], model=POLICY_MODELS[number // 3 % 4],
        fill_rate=float(rng.choice([0.9, 0.98])),
        service_level=float(rng.choice([0.8, 0.95, 0.995])), stockout_cost_per_unit=float(rng.choice([0.3, 4.0])),
        unmet_demand=("lost", "backordered")[number // 12 % 2], unit_cost=float(rng.choice([0.4, 6.0, 90.0])),
        holding_cost_rate_per_year=0.25, fixed_order_cost=float(rng.choice([0.0, 9.0, 200.0])),
        lines_sharing_order=float(rng.choice([1, 7])), pack_size=float(rng.choice([1.0, 6.0, 48.0])),
        minimum_order_quantity=float(rng.choice([0.0, 24.0])), maximum_stock=rng.choice([None, mean * 2.0, 3.0]),
        maximum_cover_days=float(rng.choice([20.0, 365.0])), service_correction=float(rng.choice([0.8, 1.0, 1.3])),
        pallet_size=rng.choice([None, 480.0]), order_maximum=rng.choice([None, 500.0]),
        price_breaks=((100.0, 0.3),) if number % 11 == 0 else (), shelf_life_days=30.0 if number % 13 == 0 else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def items():
    """Half of them stand within a unit of their reorder point, on either side; the others anywhere."""
    rng = np.random.default_rng(11)
    found = {}
    for number in range(ROWS):
        item = random_item(rng, number)
        point = plan_item(item).reorder_point
        near = point + float(rng.choice([-1.0, -0.001, 0.0, 0.001, 1.0, 1.001]))
        far = point * float(rng.choice([0.2, 0.9, 1.5, 4.0])) + 2.0
        found[number, 1] = replace(item, on_hand=max(0.0, near if number % 2 else far))
    return found


def due(items):
    return {pair for pair, item in items.items() if plan_item(item).triggered}


def test_what_many_find_due_is_what_each_alone_is_found_to_be(items):
    needless = screening._clearly_above(items)

    assert needless & due(items) == set()
    assert screening.decide(items, whole=()).below == len(due(items)) > ROWS // 4
    assert screening.decide(items, whole=()).results.keys() == due(items)


def test_most_of_what_is_well_stocked_is_not_decided_one_by_one(items):
    stocked = {pair: replace(item, on_hand=item.on_hand * 20 + 1000) for pair, item in items.items()}

    # What a supplier's limit makes a lot of its own is decided one by one on purpose.
    in_bulk = {pair for pair, item in items.items() if item.order_maximum is None}
    assert len(screening._clearly_above(stocked)) > len(in_bulk) * 0.8
    assert screening._clearly_above(stocked) <= in_bulk


def test_control_a_bulk_answer_that_is_too_low_would_be_noticed(items, monkeypatch):
    monkeypatch.setattr(screening, "_position", lambda item: item.on_hand + item.protection_mean + 10.0)

    assert screening._clearly_above(items) & due(items)
