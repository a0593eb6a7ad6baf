"""The level of one item: from the fitted law, for every target and both fates of unmet demand.

With n of demand over L (suffix L) and over L + R (T), μ the demand of a review and y the position after a review, a
review is short by h(y) = n_T(y) − n_L(y). A cycle of (R,s,S) has the shortage (u·h(S) + ∫ h from s to S) / μ and the
demand S − s + u, u = E[X²]/(2E[X]) being the undershoot; with S = s this is (R,S).

Lost sales: what was sold in any L + R days had been in position, so it cannot exceed y. A window of L + R days loses
(D − y)⁺ and a review the share R/(L + R) of that: h(y) = R·n_T(y)/(L + R) times a factor (`feedback`), where
a backorder formula with the whole of
n_T keeps far too much (one lost order stands in (L + R)/R windows). Demand without spread gives S = β·μ_T, exactly.
Sources: Silver, Pyke & Thomas (2017) ch. 7; Tijms & Groenevelt (1984), EJOR 17; Zipkin (2000) ch. 7.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from procurement.engine.policies.families import tail_shortage, to_law, to_units
from procurement.engine.policies.lattice import (
    CELLS,
    NEGATIVE_BINOMIAL,
    add_law,
    add_mixture,
    below,
    losses,
    lost_of_review,
)

Array = NDArray[np.float64]

CYCLE, FILL, COST = 0, 1, 2
#: Exact quantiles need no more tail than the fitted law's, forecast ones the whole: half is within a point for both.
TAIL_WEIGHT = 0.5


@njit(cache=True, error_model="numpy")
def lead_time_bins(cv: float, cvs: Array, means: Array, variances: Array) -> tuple[Array, Array]:
    """The bins of a gamma lead time of mean 1 and this CV, straight between the tabled ones."""
    place = min(max(int(np.searchsorted(cvs, cv)), 1), len(cvs) - 1)
    share = min(1.0, max(0.0, (cv - cvs[place - 1]) / (cvs[place] - cvs[place - 1])))
    mean = means[place - 1] * (1.0 - share) + means[place] * share
    variance = variances[place - 1] * (1.0 - share) + variances[place] * share
    if cv < cvs[0]:
        mean = 1.0 + (means[0] - 1.0) * cv / cvs[0]
        variance = variances[0] * (cv / cvs[0]) ** 2
    return mean, variance


@njit(cache=True, error_model="numpy")
def crossing_sd(lead: float, sd: float, review: float) -> float:
    """Spread of the lead time that counts where orders overtake each other: R²·Σ P(L > jR)·P(L ≤ jR).

    The units on order are a sum over orders that are late independently of each other. Source: Zalkind (1978);
    Robinson, Bradley & Thomas (2001), M&SOM 3. L = 20 of sd 11.2, looked at daily: 2.5 days and not 11.2.
    """
    if sd <= 0.0 or lead <= 0.0 or review <= 0.0:
        return 0.0
    shape = lead * lead / (sd * sd)
    total, step = 0.0, review
    while step < lead + 12.0 * sd:
        z = (math.pow(step / lead, 1.0 / 3.0) - 1.0 + 1.0 / (9.0 * shape)) * 3.0 * math.sqrt(shape)
        p = below(z)
        total += p * (1.0 - p)
        step += max(review, sd / 64.0)
    return min(sd, math.sqrt(total * review * max(review, sd / 64.0)))


@njit(cache=True, error_model="numpy")
def lattice_unit(family: int, mean: float, variance: float, highest: float) -> float:
    """Cell width: 1 for counts that fit, else what reaches far enough into the tail."""
    reach = mean + 6.5 * math.sqrt(variance) + 14.0 * variance / mean if mean > 0.0 else 1.0
    reach = max(reach, highest * 1.3, 1e-6)
    needed = reach / (CELLS - 2)
    if family == NEGATIVE_BINOMIAL:
        return 1.0 if needed <= 1.0 else needed
    return needed


@njit(cache=True, error_model="numpy")
def review_shortage(n_lead: Array, n_all: Array, demand: float) -> Array:
    """h(y) on the lattice: falling, between 0 and the demand of a review."""
    out = np.empty(len(n_all))
    above = 0.0
    for i in range(len(out) - 1, -1, -1):
        above = max(above, min(demand, max(0.0, n_all[i] - n_lead[i])))
        out[i] = above
    return out


@njit(cache=True, error_model="numpy")
def add_tail(
    h: Array, n_all: Array, unit: float, share: float, levels: Array, law: Array, units: Array, scale: float
) -> None:
    """Add to h what real demand has above the law's tail: a single large order falls into a review with R/(L + R).

    From the last quantile on the shortage is the Pareto tail's where that is larger; below it the difference stays.
    """
    last = law[-1]
    for i in range(len(h)):
        x = max(i * unit, last)
        more = tail_shortage(levels, units, scale, units[-1] + x - last) - at(n_all, unit, x)
        if more > 0.0:
            h[i] += TAIL_WEIGHT * share * more


@njit(cache=True, error_model="numpy")
def at(values: Array, unit: float, x: float) -> float:
    """A lattice function at x, straight between the cells, the last value beyond them."""
    place = x / unit
    if place <= 0.0:
        return values[0]
    cell = int(place)
    if cell >= len(values) - 1:
        return values[-1]
    share = place - cell
    return values[cell] * (1.0 - share) + values[cell + 1] * share


@njit(cache=True, error_model="numpy")
def area_of(values: Array, unit: float) -> Array:
    """∫₀^{i·u} by trapezia."""
    out = np.zeros(len(values))
    for i in range(1, len(values)):
        out[i] = out[i - 1] + unit * 0.5 * (values[i - 1] + values[i])
    return out


@njit(cache=True, error_model="numpy")
def between(values: Array, areas: Array, unit: float, low: float, high: float) -> float:
    """∫ from low to high of a lattice function (below 0: its first value)."""
    under = values[0] * max(0.0, min(0.0, high) - low) if low < 0.0 else 0.0
    return under + max(0.0, at(areas, unit, high) - at(areas, unit, low))


@njit(cache=True, error_model="numpy")
def lot_shortage(
    h: Array, areas: Array, unit: float, low: float, step: float, weight: float, cycle: float, demand: float
) -> float:
    """Share of demand short: (weight·h(low + step) + ∫h) / (μ·cycle), positions spread over (low, low + step)."""
    if cycle <= 0.0 or demand <= 0.0:
        return 0.0
    total = between(h, areas, unit, low, low + step) if step > 0.0 else 0.0
    if weight > 0.0:
        total += weight * at(h, unit, low + step)
    return min(1.0, total / (demand * cycle))


@njit(cache=True, error_model="numpy")
def smallest_within(
    h: Array, areas: Array, unit: float, allowed: float, step: float, weight: float, cycle: float, demand: float
) -> float:
    """Smallest x ≥ 0 whose share short is at most `allowed`: by halving, to a millionth of a cell."""
    low, high = 0.0, unit * (len(h) - 1)
    if lot_shortage(h, areas, unit, low, step, weight, cycle, demand) <= allowed:
        return 0.0
    for _ in range(48):
        middle = 0.5 * (low + high)
        if lot_shortage(h, areas, unit, middle, step, weight, cycle, demand) <= allowed:
            high = middle
        else:
            low = middle
        if high - low <= 1e-7 * unit:
            break
    return high


@njit(cache=True, error_model="numpy")
def smallest_at_most(at_most: Array, unit: float, target: float, half: float) -> float:
    """x with F(x) = target, straight within a cell of a smooth law (`half` a cell on), the smallest count of counts."""
    before = 0.0
    for i in range(len(at_most)):
        if at_most[i] >= target:
            if half == 0.0 or i == 0:
                return i * unit
            return (i - 1 + half + (target - before) / (at_most[i] - before)) * unit
        before = at_most[i]
    return (len(at_most) - 1) * unit


@njit(cache=True, error_model="numpy")
def cheapest_level(
    h: Array, n_lead: Array, n_all: Array, unit: float, mean_lead: float, mean_all: float,
    holding: float, stockout: float, is_lost: bool,
) -> float:  # fmt: skip
    """Smallest level of least holding + stock-out cost of a review: stock is the mean of its start and its end."""
    best, place = math.inf, 0
    for i in range(len(h)):
        level = i * unit
        start = level - mean_lead + n_lead[i]
        end = level - mean_all + n_all[i]
        if is_lost:  # what was lost did not leave the shelf
            end = max(0.0, start - (mean_all - mean_lead) + h[i])
        cost = 0.5 * holding * (start + end) + stockout * h[i]
        if cost < best * (1.0 - 1e-12):
            best, place = cost, i
    return place * unit


@njit(cache=True, error_model="numpy")
def sold_spread(at_most: Array, unit: float, demand: float, fill: float) -> float:
    """Variance of min(D, I) over β·Var(D), D the demand of a review and I such that E[min(D, I)] = β·E[D]: ≤ 1."""
    first, second = 0.0, 0.0
    total, squares = 0.0, 0.0
    for i in range(len(at_most)):
        above = max(0.0, 1.0 - at_most[i])
        total += unit * above
        squares += unit * (2.0 * i + 1.0) * unit * above
        if total <= fill * demand or i == 0:
            first, second = total, squares
    variance = squares - total * total
    if variance <= 0.0:
        return 1.0
    kept = max(0.0, second - first * first)
    return min(1.0, kept / (variance * max(fill, 0.05)))


@njit(cache=True, error_model="numpy")
def feedback(
    unit: float, family: int, rate: float, spread: float, lead: float, review: float, target: float, h: Array,
    step: float, weight: float, cycle: float,
) -> float:  # fmt: skip
    """How much more is lost than `h`, the windows' share, says: sales, not demand, come back through the pipeline.

    On order is what was sold in the lead time: min(D, y) of the demand of a shorter lead time c·L, with the spread that
    is left when a review's demand is cut off at the shelf, and mean β·μ_L (Little's law), which decides c.
    """
    demand, low, high, share, found = rate * review, 0.0, 1.3, 1.0, 1.0
    at_review = np.zeros(CELLS)
    add_law(at_review, 1.0, unit, family, demand, spread * review)
    keeps = sold_spread(at_review, unit, demand, target)
    for _ in range(14):
        at_most, at_most_lead = np.zeros(CELLS), np.zeros(CELLS)
        shorter = share * lead
        add_law(at_most, 1.0, unit, family, rate * (shorter + review), spread * (keeps * shorter + review))
        add_law(at_most_lead, 1.0, unit, family, rate * shorter, spread * keeps * shorter)
        n_lead = losses(at_most_lead, unit)
        short = review_shortage(n_lead, losses(at_most, unit), demand)
        x = smallest_within(short, area_of(short, unit), unit, 1.0 - target, step, weight, cycle, demand)
        plain = lot_shortage(h, area_of(h, unit), unit, x, step, weight, cycle, demand)
        found = min(5.0, max(0.2, (1.0 - target) / plain)) if plain > 1e-12 else 5.0
        excess = rate * shorter - at(n_lead, unit, x + 0.5 * step) - target * rate * lead
        if abs(excess) <= 5e-4 * rate * lead or high - low < 1e-3:
            break
        if excess > 0.0:
            high = share
        else:
            low = share
        share = min(max(share - excess / (rate * lead), 0.75 * low + 0.25 * high), 0.25 * low + 0.75 * high)
    return found


@njit(cache=True, error_model="numpy")
def solve_row(
    family: int, law_mean: float, law_variance: float, law: Array, units: Array,
    lead: float, lead_sd: float, review: float, kind: int, target: float, holding: float, stockout: float,
    is_lost: bool, step: float, weight: float, cycle: float, correction: float, exact: float, floor: float,
    levels: Array, scale: float, cvs: Array, bin_weights: Array, bin_means: Array, bin_variances: Array,
) -> tuple[float, float, float, float]:  # fmt: skip
    """(demand to cover, the level in whole units, P(no stock-out), expected fill rate) of one row.

    `step`, `weight`, `cycle`: how positions after a review spread above the level (see `lot_shortage`). `exact` ≥ 0 is
    the forecast's own quantile, taken as it is. `floor`: the mean the safety stock is counted from.
    """
    days = lead + review
    rate = law_mean / days if days > 0.0 else 0.0
    spread = law_variance / days if days > 0.0 else 0.0
    means, variances = lead_time_bins(lead_sd / lead if lead > 0.0 else 0.0, cvs, bin_means, bin_variances)
    unit = lattice_unit(family, law_mean, law_variance + (rate * lead_sd) ** 2, law[-1] if len(law) else 0.0)
    half = 0.0 if family == NEGATIVE_BINOMIAL and unit == 1.0 else 0.5
    demand = rate * review
    at_most, at_most_lead = np.zeros(CELLS), np.zeros(CELLS)
    add_mixture(at_most, unit, family, rate, spread, lead, lead_sd, review, bin_weights, means, variances)
    add_mixture(at_most_lead, unit, family, rate, spread, lead, lead_sd, 0.0, bin_weights, means, variances)
    n_all, n_lead = losses(at_most, unit), losses(at_most_lead, unit)
    if is_lost:
        h = lost_of_review(unit, family, rate, spread, lead, lead_sd, review, bin_weights, means, variances)
        if lead > 0.0 and demand > 0.0 and law_variance > 0.0:
            fixed = lost_of_review(unit, family, rate, spread, lead, 0.0, review, bin_weights, means, variances)
            aim = target if kind == FILL else 0.95
            h = np.minimum(
                demand, h * feedback(unit, family, rate, spread, lead, review, aim, fixed, step, weight, cycle)
            )
    else:
        h = review_shortage(n_lead, n_all, demand)
    if scale > 0.0:
        add_tail(h, n_all, unit, review / days, levels, law, units, scale)
    areas = area_of(h, unit)
    if exact >= 0.0:
        x = to_law(exact, law, units)
    elif kind == FILL:
        x = smallest_within(h, areas, unit, 1.0 - target, step, weight, cycle, demand)
    elif kind == COST:
        x = cheapest_level(h, n_lead, n_all, unit, rate * lead, law_mean, holding, stockout, is_lost)
    else:
        x = smallest_at_most(at_most, unit, target, half)
    wanted = exact if exact >= 0.0 else to_units(x, law, units)
    cover = wanted if correction == 1.0 else max(0.0, floor + correction * (wanted - floor))
    level = float(math.ceil(cover - 1e-9 * max(1.0, cover)))
    x = to_law(level, law, units)
    fill = 1.0 - lot_shortage(h, areas, unit, x, step, weight, cycle, demand)
    if kind == FILL and exact < 0.0 and level >= 1.0:
        other = to_law(level - 1.0, law, units)
        less = 1.0 - lot_shortage(h, areas, unit, other, step, weight, cycle, demand)
        if target - less < fill - target:
            level, x, fill = level - 1.0, other, less
    served = at(at_most, unit, x - half * unit)
    return wanted, level, min(1.0, served), fill
