"""What every item of a batch gets, and a single item too: fit, economic lot, choice of model, levels."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from procurement.engine.policies.families import fit_law, tail_quantile, tail_scale
from procurement.engine.policies.kernel import CYCLE, crossing_sd, solve_row
from procurement.engine.policies.lattice import NORMAL

Array = NDArray[np.float64]

ORDER_UP_TO, MIN_MAX, FIXED_LOT = 1, 2, 3
SMOOTH, ERRATIC, INTERMITTENT, LUMPY = 0, 1, 2, 3
#: Of a policy's answer: s, S, lot, safety stock, P(no stock-out), fill rate, model, family, segment, cover, spread,
#: cover with the correction, S − s before rounding, whether the cover is the forecast's own quantile.
ANSWERS = 14


@njit(cache=True, error_model="numpy")
def forecast_quantile(levels: Array, scores: Array, units: Array, level: float, score: float) -> float:
    """Straight in the normal score between the given quantiles and beyond them, as `QuantileCurve` has it."""
    count = len(levels)
    place = int(np.searchsorted(levels, level))
    if place < count and levels[place] == level:
        return units[place]
    if count == 1:
        return units[0]
    above = min(max(place, 1), count - 1)
    below = above - 1
    slope = (units[above] - units[below]) * (score - scores[below]) / (scores[above] - scores[below])
    return units[below] + slope


@njit(cache=True, error_model="numpy")
def segment_of(rate: float, spread: float) -> int:
    """Syntetos & Boylan's classes from the law of a day: λ = −ln P(0) demands a day, sizes of mean rate/λ.

    Intermittent: fewer than one demand in 1.32 days; erratic sizes: squared coefficient of variation above 0.49.
    """
    if rate <= 0.0:
        return INTERMITTENT
    if spread <= rate * 1.0001:
        none, ratio = math.exp(-rate), 1.0
    else:
        ratio = spread / rate
        none = math.exp(-rate / (ratio - 1.0) * math.log(ratio))
    events = max(1e-12, -math.log(max(none, 1e-300)))
    size_cv2 = max(0.0, ratio * events / rate - 1.0)
    rare, varied = none > 1.0 - 1.0 / 1.32, size_cv2 > 0.49
    if not rare:
        return ERRATIC if spread > 0.49 * rate * rate else SMOOTH
    return LUMPY if varied else INTERMITTENT


@njit(cache=True, error_model="numpy")
def chosen_model(model: int, fixed: float, lot: float, undershoot: float, pack: float) -> int:
    """(R,S) where an order costs nothing or no more than a review's demand pays; (R,s,nQ) where packs are the lot."""
    if model != 0:
        return model
    if fixed <= 0.0 or lot <= undershoot:
        return ORDER_UP_TO
    return FIXED_LOT if pack > 1.0 and 2.0 * pack >= lot else MIN_MAX


@njit(cache=True, error_model="numpy")
def policy_row(
    levels: Array, scores: Array, quantiles: Array, mean: float, sd: float, daily: float, lead: float, lead_sd: float,
    review: float, kind: int, target: float, score: float, is_lost: bool, unit_cost: float, holding_rate: float,
    fixed: float, stockout: float, minimum: float, pack: float, maximum: float, cover: float, model: int,
    correction: float, crosses: bool, lot_given: float, table: Array, variances: Array, is_lognormal: NDArray[np.bool_],
    cvs: Array, bin_weights: Array, bin_means: Array, bin_variances: Array,
) -> Array:  # fmt: skip
    """The `ANSWERS` of one item. `lot_given` ≥ 0 is the economic lot where price breaks have decided it."""
    units = np.sort(quantiles)
    lead, review = (0.0 if lead < 1e-9 else lead), (0.0 if review < 1e-9 else review)
    lead_sd = lead_sd if lead > 0.0 else 0.0
    family, law_mean, law_variance, law = fit_law(levels, scores, units, mean, sd, table, variances, is_lognormal)
    days = lead + review
    holding = holding_rate * unit_cost / 365.0
    lot = lot_given
    if lot < 0.0:
        lot = 0.0
        if holding > 0.0:
            lot = min(math.sqrt(2.0 * fixed * daily / holding), cover * daily)
        elif fixed > 0.0:
            lot = cover * daily
    demand, undershoot = daily * review, 0.0
    spread = sd * sd if sd > 0.0 else law_variance
    if demand > 0.0:
        undershoot = (demand + spread * review / days / demand) / 2.0
    chosen = chosen_model(model, fixed, lot, undershoot, pack)
    if chosen == ORDER_UP_TO:
        lot = 0.0
    if chosen == FIXED_LOT:
        lot = max(pack, math.ceil(lot / pack - 1e-9) * pack)
    step = lot if chosen == FIXED_LOT else max(0.0, lot - undershoot)
    wide, weight = max(step, minimum - undershoot), undershoot
    if chosen == FIXED_LOT or pack - 1.0 > wide:
        wide, weight = max(step, pack) - 1.0, 0.0
    cycle = wide + weight if weight > 0.0 else wide
    if cycle <= 0.0:
        wide, weight, cycle = 0.0, 1.0, 1.0
    if crosses:
        lead_sd = crossing_sd(lead, lead_sd, max(review, lot / daily if daily > 0.0 else review))
    exact, count = -1.0, len(levels)
    scale = tail_scale(levels, scores, units) if family != NORMAL else 0.0
    if kind == CYCLE and lead_sd <= 0.0:  # lost or not: what is sold before the interval ends was in position
        if count == 0:
            exact = law_mean + score * math.sqrt(law_variance) if family == NORMAL else -1.0
            exact = max(exact, 0.0) if family == NORMAL else -1.0
        elif target > levels[count - 1] and tail_scale(levels, scores, units) > 0.0:
            exact = tail_quantile(levels, units, tail_scale(levels, scores, units), target)
        else:
            exact = max(0.0, forecast_quantile(levels, scores, units, target, score))
    out = np.zeros(ANSWERS)
    wanted, level, served, fill = solve_row(
        family, law_mean, law_variance, law, units, lead, lead_sd, review, kind, target, holding * review, stockout,
        is_lost, wide, weight, cycle, correction, exact, mean, levels, scale,
        cvs, bin_weights, bin_means, bin_variances,
    )  # fmt: skip
    top = float(math.floor(level + step + 0.5 + 1e-9 * max(1.0, level + step)))
    if maximum < top:
        top = maximum
    out[0], out[1], out[2], out[3], out[4], out[5] = level, top, lot, level - mean, served, fill
    out[6], out[7] = chosen, family
    out[8] = segment_of(law_mean / days if days > 0.0 else 0.0, law_variance / days if days > 0.0 else 0.0)
    out[9], out[10] = wanted, math.sqrt(law_variance)
    out[11] = wanted if correction == 1.0 else max(0.0, mean + correction * (wanted - mean))
    out[12], out[13] = step, 1.0 if exact >= 0.0 else 0.0
    return out
