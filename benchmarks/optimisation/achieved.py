"""The fill rate that policies achieve, in a plain simulation that knows nothing of the engine's laws.

Demand: smooth and erratic (lognormal days with a weekly pattern), intermittent (Bernoulli days, 1–2 units), lumpy
(Bernoulli days of lognormal size). Each policy sees five quantiles, mean and spread of the window's demand only. Lead
times fixed or gamma (slowly varying without overtaking, or independent: "x", orders overtake); unmet demand lost or
backordered; reviews daily and weekly. Run: python -m benchmarks.optimisation.achieved [items] [days] [seed]
"""

import sys
import zlib

import numpy as np
from scipy.signal import lfilter
from scipy.special import gammaincinv, ndtr

from procurement.engine.policies.solve import solve_policies
from procurement.engine.policies.types import batch_of

LEVELS = np.array([0.5, 0.8, 0.9, 0.95, 0.99])
CLASSES = ("smooth", "erratic", "intermittent", "lumpy")
#: Days between reviews, mean lead time, its coefficient of variation, whether orders may overtake each other.
SETTINGS = (
    (1, 7, 0.0, False), (1, 14, 0.0, False), (1, 30, 0.0, False), (7, 14, 0.0, False), (7, 20, 0.4, False),
    (7, 20, 0.4, True), (1, 20, 0.4, True),
)  # fmt: skip
TARGETS = (0.9, 0.95, 0.98, 0.99)


def demand(kind, rng, items, days):
    week = np.array([1.2, 1.1, 1.0, 1.1, 1.1, 0.9, 0.6])[np.arange(days) % 7]
    if kind in ("smooth", "erratic"):
        sigma = 0.2 if kind == "smooth" else 0.9
        mean = rng.uniform(5, 60, (items, 1))
        return np.round(mean * week * np.exp(rng.normal(0, sigma, (items, days)) - sigma**2 / 2))
    sold = rng.random((items, days)) < rng.uniform(0.05, 0.25, (items, 1))
    if kind == "intermittent":
        return sold * (1.0 + (rng.random((items, days)) < 0.3))
    return sold * np.ceil(np.exp(rng.normal(1.2, 1.0, (items, days))))


def lead_times(rng, items, days, mean, cv, crosses):
    if not cv:
        return np.full((items, days), mean)
    if crosses:
        return np.round(rng.gamma(1 / cv**2, mean * cv**2, (items, days))).astype(int)
    keep = 0.998
    noise = rng.normal(size=(items, days + 3000))
    path = lfilter([np.sqrt(1 - keep * keep)], [1, -keep], noise, axis=1)[:, 3000:]
    wanted = np.round(gammaincinv(1 / cv**2, ndtr(path)) * mean * cv**2)
    return np.maximum.accumulate(np.arange(days) + wanted, axis=1).astype(int) - np.arange(days)


def simulate(sold, reorder, order_up_to, review, leads, is_lost):
    """(units served, units asked) of each item; the first eighth warms up."""
    items, days = sold.shape
    stock, position, waiting = order_up_to.copy(), order_up_to.copy(), np.zeros(items)
    arriving, served, asked = np.zeros((items, days + 1)), np.zeros(items), np.zeros(items)
    for day in range(days):
        stock += arriving[:, day]
        caught_up = np.minimum(stock, waiting)
        stock, waiting = stock - caught_up, waiting - caught_up
        met = np.minimum(stock, sold[:, day])
        stock -= met
        if day >= days // 8:
            served, asked = served + met, asked + sold[:, day]
        position -= met if is_lost else sold[:, day]
        waiting += 0.0 if is_lost else sold[:, day] - met
        if day % review == review - 1:
            order = np.where(position < reorder, order_up_to - position, 0.0)
            np.add.at(arriving, (np.arange(items), np.minimum(day + 1 + leads[:, day], days)), order)
            position += order
    return served, asked


def policies(sold, review, lead, cv, crosses, is_lost, target):
    window = lead + review
    sums = np.cumsum(np.pad(sold, ((0, 0), (1, 0))), axis=1)
    windows = sums[:, window:] - sums[:, :-window]
    quantiles = np.quantile(windows, LEVELS, axis=1, method="inverted_cdf").T
    return solve_policies(
        batch_of(
            LEVELS, quantiles, protection_mean=windows.mean(axis=1), protection_sd=windows.std(axis=1),
            mean_daily_demand=sold.mean(axis=1), lead_time_days=float(lead), lead_time_sd_days=cv * lead,
            review_days=float(review), target_kind=1, target=target, is_lost=is_lost,
            lead_times_cross=crosses,
        )
    )  # fmt: skip


def main(items=200, days=3000, seed=0):
    print(f"{'class':13}{'R':>3}{'L':>4}{'CV':>5}  {'unmet':7}" + "".join(f"{target:>9}" for target in TARGETS))
    misses = {kind: np.zeros(len(TARGETS)) for kind in CLASSES}
    for kind in CLASSES:
        for review, lead, cv, crosses in SETTINGS:
            rng = np.random.default_rng(zlib.crc32(f"{kind}{review}{lead}{seed or ''}".encode()))
            sold = demand(kind, rng, items, days)
            leads = lead_times(rng, items, days, lead, cv, crosses)
            for is_lost in (False, True):
                row = []
                for target in TARGETS:
                    levels = policies(sold, review, lead, cv, crosses, is_lost, target)
                    met, asked = simulate(sold, levels.reorder_point, levels.order_up_to_level, review, leads, is_lost)
                    row.append(met.sum() / asked.sum())
                misses[kind] += np.array(row) - TARGETS
                unmet = f"{'x' if crosses else ' '} {'lost' if is_lost else 'waits':7}"
                print(f"{kind:13}{review:3}{lead:4}{cv:5}{unmet}" + "".join(f"{x:9.4f}" for x in row), flush=True)
    for kind, total in misses.items():
        mean = total / (2 * len(SETTINGS)) * 100
        print(f"{kind:13} mean miss in points: " + "".join(f"{x:+8.2f}" for x in mean))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
