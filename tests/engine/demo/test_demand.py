"""The true demand of the demo company is kept aside, and sales never exceed it."""

from datetime import date

import numpy as np

from procurement.demo.local_time import to_utc


def days_listed(demo, place):
    sku, days = demo.skus[place], demo.true_demand.shape[-1]
    first = max((sku.launched_on - demo.start_day).days, 0)
    last = days if sku.discontinued_on is None else min((sku.discontinued_on - demo.start_day).days + 1, days)
    return first, last


def demand_class(series):
    """Syntetos–Boylan on weekly buckets: ADI against 1.32, CV² of the non-zero weeks against 0.49."""
    weeks = series[: len(series) // 7 * 7].reshape(-1, 7).sum(axis=1)
    sizes = weeks[weeks > 0]
    if len(sizes) < 3:
        return "too short"
    interval, variation = len(weeks) / len(sizes), (sizes.std() / sizes.mean()) ** 2
    names = {(0, 0): "smooth", (0, 1): "erratic", (1, 0): "intermittent", (1, 1): "lumpy"}
    return names[int(interval >= 1.32), int(variation >= 0.49)]


def test_served_demand_never_exceeds_true_demand_and_the_difference_is_lost(demo):
    assert (demo.served_demand <= demo.true_demand).all()
    assert (demo.served_demand >= 0).all()
    assert demo.lost_demand.sum() == demo.true_demand.sum() - demo.served_demand.sum()
    assert demo.stockouts["lost_quantity"].sum() == demo.lost_demand.sum()


def test_order_lines_add_up_to_the_served_demand_by_local_day(demo):
    line_orders = demo.orders[demo.order_lines["order"]]
    real = line_orders["status"] != "cancelled"
    zones = {0: "Europe/London", 1: "Europe/Amsterdam", 2: "Europe/London"}
    midnight = {
        zone: to_utc(day=np.arange(732), second=np.zeros(732, dtype=int), zone=zone, start_day=demo.start_day)
        for zone in set(zones.values())
    }
    sums = np.zeros_like(demo.served_demand)

    for channel, zone in zones.items():
        mine = real & (line_orders["channel"] == channel)
        day = np.searchsorted(midnight[zone], line_orders["ordered_at"][mine], side="right") - 1
        lines = demo.order_lines[mine]
        np.add.at(sums, (lines["sku"], channel, lines["warehouse"], day), lines["quantity"])

    assert (sums == demo.served_demand).all()


def test_nothing_is_wanted_before_launch_or_after_the_last_day(demo):
    outside = 0
    for place in range(300):
        first, last = days_listed(demo, place)
        outside += int(demo.true_demand[place, ..., :first].sum() + demo.true_demand[place, ..., last:].sum())

    assert outside == 0


def test_launches_and_phase_outs_happen_inside_the_history(demo):
    launched = [sku for sku in demo.skus if sku.launched_on > demo.start_day]
    ended = [sku for sku in demo.skus if sku.discontinued_on and sku.discontinued_on <= demo.end_day]
    ending = [sku for sku in demo.skus if sku.discontinued_on and sku.discontinued_on > demo.end_day]

    assert (len(launched), len(ended), len(ending)) == (30, 17, 5)


def test_every_class_of_demand_occurs_at_least_twenty_times(demo):
    series = demo.true_demand.sum(axis=(1, 2))
    classes = [demand_class(series[place, slice(*days_listed(demo, place))]) for place in range(300)]

    counts = {name: classes.count(name) for name in ("smooth", "erratic", "intermittent", "lumpy")}

    assert min(counts.values()) >= 20, counts


def test_a_fifth_of_the_skus_makes_most_of_the_volume(demo):
    units = np.sort(demo.true_demand.sum(axis=(1, 2, 3)))[::-1]

    assert 0.55 < units[:60].sum() / units.sum() < 0.80
    assert (units > 0).sum() >= 295  # a slow SKU launched last month may not have sold yet


def test_wholesale_rests_at_the_weekend_and_the_web_shop_does_not(demo):
    weekday = (demo.start_day.weekday() + np.arange(731)) % 7
    by_day = demo.true_demand.sum(axis=(0, 2))

    assert by_day[2, weekday >= 5].sum() == 0
    assert by_day[0, weekday >= 5].min() > 0


def test_garden_tools_peak_in_spring_and_christmas_in_december(demo):
    months = (np.datetime64(demo.start_day) + np.arange(731)).astype("M8[M]").astype(int) % 12 + 1
    peak = {}
    for code in ("GDN", "XMS"):
        mine = [place for place, sku in enumerate(demo.skus) if sku.category == code]
        series = demo.true_demand[mine].sum(axis=(0, 1, 2))
        peak[code] = int(np.argmax([series[months == month].mean() for month in range(1, 13)])) + 1

    assert peak["GDN"] in (4, 5)
    assert peak["XMS"] in (11, 12)


def test_promotions_lift_demand(demo):
    lift = []
    for event in demo.events:
        first = (event.starts_on - demo.start_day).days
        last = (event.ends_on - demo.start_day).days + 1
        if event.kind == "promotion" and event.categories and event.channels == ("WEB",) and 30 < first < 690:
            mine = [place for place, sku in enumerate(demo.skus) if sku.category in event.categories]
            daily = demo.true_demand[mine, 0].sum(axis=(0, 1))
            lift.append(daily[first:last].mean() / daily[first - 28 : first].mean())

    assert 1.3 < float(np.median(lift)) < 2.5


def test_the_realised_demand_scatters_around_its_known_mean(demo):
    expected = demo.expected_demand[..., :731].sum()

    assert abs(demo.true_demand.sum() / expected - 1) < 0.05
    assert demo.future_demand.shape == (300, 3, 3, 91)


def test_local_times_become_utc_on_both_sides_of_a_clock_change():
    day = np.array([0, 0, 1])  # 28 and 29 March 2026; British clocks go forward at 01:00 UTC on the 29th
    second = np.array([0, 23 * 3600, 12 * 3600])

    moment = to_utc(day=day, second=second, zone="Europe/London", start_day=date(2026, 3, 28))

    assert (
        moment.tolist()
        == np.array(["2026-03-28T00:00", "2026-03-28T23:00", "2026-03-29T11:00"], dtype="M8[s]").tolist()
    )
