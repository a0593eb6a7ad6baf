"""The compiled side of `solve`: one row after the other, nothing kept but the row's own work.

One file, because a cached compilation is renewed only when its own file changes.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
NOTHING = 1e-18
STILL = 1e-13


@njit(cache=True)
def _tail(z: float) -> float:
    """P(Z > z)."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))


@njit(cache=True)
def _lower_score(chance: float) -> float:
    """Φ⁻¹ of a chance up to ½: Wichura (1988), algorithm AS 241, as the standard library's NormalDist."""
    q = chance - 0.5
    if q >= -0.425:
        r = 0.180625 - q * q
        top = r * 2.5090809287301226727e3 + 3.3430575583588128105e4
        top = ((top * r + 6.7265770927008700853e4) * r + 4.5921953931549871457e4) * r + 1.3731693765509461125e4
        top = ((top * r + 1.9715909503065514427e3) * r + 1.3314166789178437745e2) * r + 3.3871328727963666080e0
        low = r * 5.2264952788528545610e3 + 2.8729085735721942674e4
        low = ((low * r + 3.9307895800092710610e4) * r + 2.1213794301586595867e4) * r + 5.3941960214247511077e3
        low = ((low * r + 6.8718700749205790830e2) * r + 4.2313330701600911252e1) * r + 1.0
        return q * top / low
    r = math.sqrt(-math.log(chance))
    if r <= 5.0:
        r -= 1.6
        top = r * 7.74545014278341407640e-4 + 2.27238449892691845833e-2
        top = ((top * r + 2.41780725177450611770e-1) * r + 1.27045825245236838258e0) * r + 3.64784832476320460504e0
        top = ((top * r + 5.76949722146069140550e0) * r + 4.63033784615654529590e0) * r + 1.42343711074968357734e0
        low = r * 1.05075007164441684324e-9 + 5.47593808499534494600e-4
        low = ((low * r + 1.51986665636164571966e-2) * r + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1
        low = ((low * r + 1.67638483018380384940e0) * r + 2.05319162663775882187e0) * r + 1.0
        return -top / low
    r -= 5.0
    top = r * 2.01033439929228813265e-7 + 2.71155556874348757815e-5
    top = ((top * r + 1.24266094738807843860e-3) * r + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1
    top = ((top * r + 1.78482653991729133580e0) * r + 5.46378491116411436990e0) * r + 6.65790464350110377720e0
    low = r * 2.04426310338993978564e-15 + 1.42151175831644588870e-7
    low = ((low * r + 1.84631831751005468180e-5) * r + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2
    low = ((low * r + 1.36929880922735805310e-1) * r + 5.99832206555887937690e-1) * r + 1.0
    return -top / low


@njit(cache=True)
def _score(h: float, p: float) -> float:
    """z at the critical ratio p/(p + h), exact also where the ratio rounds to 1."""
    return -_lower_score(h / (h + p)) if h < p else _lower_score(p / (h + p))


@njit(cache=True)
def newsvendor_normal(h: Array, p: Array, mean: Array, sd: Array, lead: Array, stocks: Array, costs: Array) -> None:
    for row in range(len(h)):
        z, periods = _score(h[row], p[row]), lead[row] + 1.0
        spread = sd[row] * math.sqrt(periods)
        stocks[row] = mean[row] * periods + z * spread
        costs[row] = (h[row] + p[row]) * math.exp(-0.5 * z * z) / ROOT_TWO_PI * spread


@njit(cache=True)
def _height(z: float, h: float, p: float) -> float:
    """g/σ at z: h·z + (h + p)·ℒ(z), from the side with the small loss."""
    side = abs(z)
    if side > 20.0:
        loss = math.exp(-0.5 * side * side) / ROOT_TWO_PI / (side * side)
    else:
        loss = max(0.0, math.exp(-0.5 * side * side) / ROOT_TWO_PI - side * _tail(side))
    return (h if z > 0.0 else p) * side + (h + p) * loss


@njit(cache=True)
def _second(z: float) -> float:
    """½·E[((Z − z)⁺)²] for z ≥ 0."""
    return max(0.0, (z * z + 1.0) * _tail(z) - z * math.exp(-0.5 * z * z) / ROOT_TWO_PI) / 2.0


@njit(cache=True)
def _area(low: float, high: float, h: float, p: float) -> float:
    """∫ g/σ from low to high."""
    held = h * (high - low) * (high + low) / 2.0
    first = _second(low) if low >= 0.0 else (low * low + 1.0) / 2.0 - _second(-low)
    last = _second(high) if high >= 0.0 else (high * high + 1.0) / 2.0 - _second(-high)
    return held + (h + p) * (first - last)


@njit(cache=True)
def _shore(level: float, z: float, h: float, p: float) -> float:
    for _ in range(100):
        slope = h - (h + p) * _tail(z)
        if slope == 0.0:
            return z
        step = (_height(z, h, p) - level) / slope
        z -= step
        if abs(step) <= 1e-14 * abs(z) + 1e-300:
            return z
    return z


@njit(cache=True)
def rq_normal(h: Array, p: Array, setup: Array, mean: Array, sd: Array, out: Array) -> None:
    """Columns of `out`: r, Q, cost; the same descent as `lots.Valley.best_lot`, in units of σ."""
    for row in range(len(h)):
        a, b = h[row], p[row]
        depth = math.sqrt(2.0 * setup[row] * a * b / (a + b))
        if sd[row] == 0.0:
            out[row, 0], out[row, 1], out[row, 2] = mean[row] - depth / b, depth / a + depth / b, depth
            continue
        enough = setup[row] / (sd[row] * sd[row])
        level = _height(_score(a, b), a, b) + depth / sd[row]
        left, right = -level / b, level / a
        for _ in range(100):
            left, right = _shore(level, left, a, b), _shore(level, right, a, b)
            step = (level * (right - left) - _area(left, right, a, b) - enough) / (right - left)
            if step <= 1e-14 * level:
                break
            level -= step
        lot = right - left
        out[row, 0], out[row, 1] = mean[row] + left * sd[row], lot * sd[row]
        out[row, 2] = sd[row] * (enough + _area(left, right, a, b)) / lot


@njit(cache=True)
def _poisson_stock(mean: float, h: float, p: float) -> tuple[int, float, float, float]:
    """The smallest S with P(D > S) ≤ h/(h + p); P(D = S), P(D ≤ S) and g(S).

    Chances by recursion from the mode, in units of its own, out to where they add nothing.
    """
    if mean == 0.0:
        return 0, 1.0, 1.0, 0.0
    mode, inverse = int(mean), 1.0 / mean
    total, chance, top = 1.0, 1.0, mode
    while chance > NOTHING:
        top += 1
        chance *= mean / top
        total += chance
    highest = chance
    chance, bottom = 1.0, mode
    while bottom > 0 and chance > NOTHING:
        chance *= bottom * inverse
        bottom -= 1
        total += chance
    limit = h / (h + p) * total * (1.0 + 1e-12)
    above, short, stock, chance = 0.0, 0.0, top, highest
    while stock > 0 and above + chance <= limit:
        above += chance
        short += above
        chance *= stock * inverse
        stock -= 1
    if stock <= mean:
        left = _poisson_left(mean, bottom, mode, stock, total)
        return stock, chance / total, 1.0 - above / total, h * left + p * (mean - stock + left)
    return stock, chance / total, 1.0 - above / total, h * (stock - mean + short / total) + p * short / total


@njit(cache=True)
def _poisson_left(mean: float, bottom: int, mode: int, stock: int, total: float) -> float:
    """E[(S − D)⁺] for a stock below the mean, summed from below."""
    chance = 1.0
    for k in range(mode, bottom, -1):
        chance *= k / mean
    below, left = 0.0, 0.0
    for k in range(bottom, stock):
        below += chance
        left += below
        chance *= mean / (k + 1)
    return left / total


@njit(cache=True, error_model="numpy")
def eoq(h: Array, setup: Array, rate: Array, lots: Array, costs: Array) -> None:
    for row in range(len(h)):
        lots[row] = math.sqrt(2.0 * setup[row] * rate[row] / h[row])
        costs[row] = h[row] * lots[row]


@njit(cache=True)
def newsvendor_poisson(h: Array, p: Array, mean: Array, stocks: Ints, costs: Array) -> None:
    for row in range(len(h)):
        stocks[row], _, _, costs[row] = _poisson_stock(mean[row], h[row], p[row])


@njit(cache=True)
def rq_poisson(h: Array, p: Array, setup: Array, mean: Array, whole: Ints, costs: Array) -> None:
    """Columns of `whole`: r, Q. The cheaper neighbour joins the lot as long as it is below the lot's average."""
    for row in range(len(h)):
        a, b, m = h[row], p[row], mean[row]
        low, chance_low, reached, floor = _poisson_stock(m, a, b)
        high, chance_high, at_most = low, chance_low, reached
        reached -= chance_low
        total, units = setup[row] + floor, 1
        above, below = floor + (a + b) * at_most - b, floor + b - (a + b) * reached
        while min(above, below) < total / units * (1.0 - STILL):
            if below <= above:
                total += below
                low -= 1
                chance_low *= (low + 1) / m if m > 0.0 else 0.0
                reached = max(0.0, reached - chance_low) if low > 0 else 0.0
                below += b - (a + b) * reached
            else:
                total += above
                high += 1
                chance_high *= m / high
                at_most = min(1.0, at_most + chance_high)
                above += (a + b) * at_most - b
            units += 1
        whole[row, 0], whole[row, 1], costs[row] = low - 1, units, total / units


@njit(cache=True)
def _longer(values: Array, size: int) -> Array:
    if size <= len(values):
        return values
    grown = np.empty(2 * size)
    grown[: len(values)] = values
    return grown


@njit(cache=True)
def _renew(m: Array, chances: Array, known: int, size: int, mean: float) -> None:
    """m(known) … m(size − 1) and the chances up to there: m(j) = Σ P(l)·m(j − l)/P(D > 0)."""
    some = -math.expm1(-mean)
    for j in range(known, size):
        chances[j] = math.exp(j * math.log(mean) - mean - math.lgamma(j + 1.0))
        if j == 0:
            m[0] = 1.0 / some
            continue
        total = 0.0
        for k in range(1, j + 1):
            total += chances[k] * m[j - k]
        m[j] = total / some


@njit(cache=True)
def _policy(m: Array, down: Array, up: Array, s: int, S: int, fixed: float) -> float:
    """c(s, S); s and S counted from the base stock, down[i] = g(stock − i), up[i] = g(stock + i)."""
    cost, weight = fixed, 0.0
    for j in range(S - s):
        y = S - j
        cost += m[j] * (up[y] if y >= 0 else down[-y])
        weight += m[j]
    return cost / weight


@njit(cache=True)
def ss_poisson(h: Array, p: Array, fixed: Array, mean: Array, whole: Ints, costs: Array) -> None:
    """Columns of `whole`: s, S. Zheng & Federgruen (1991): S rises while g(S) is below the cost, s follows."""
    for row in range(len(h)):
        a, b, K = h[row], p[row], fixed[row]
        if mean[row] == 0.0:
            whole[row, 0], whole[row, 1], costs[row] = -1, 0, 0.0
            continue
        stock, chance, at_most, floor = _poisson_stock(mean[row], a, b)
        m, chances, down, up = np.empty(64), np.empty(64), np.empty(64), np.empty(64)
        down[0], up[0] = floor, floor
        lower, reached = chance, at_most - chance
        total, weight, s = K, 0.0, 0
        while True:  # the best s for S = the base stock
            m, chances = _longer(m, 1 - s), _longer(chances, 1 - s)
            _renew(m, chances, -s, 1 - s, mean[row])
            total, weight = total + m[-s] * down[-s], weight + m[-s]
            s -= 1
            down = _longer(down, 1 - s)
            down[-s] = down[-s - 1] + b - (a + b) * reached
            place = stock + s
            lower *= (place + 1) / mean[row] if place >= 0 else 0.0
            reached = max(0.0, reached - lower) if place > 0 else 0.0
            if total / weight <= down[-s]:
                break
        best, S, cost, known = s, 0, total / weight, -s
        level = 0
        while True:
            level += 1
            up = _longer(up, level + 1)
            up[level] = up[level - 1] + (a + b) * at_most - b
            chance *= mean[row] / (stock + level)
            at_most = min(1.0, at_most + chance)
            if up[level] > cost:
                break
            m, chances = _longer(m, level - best), _longer(chances, level - best)
            if level - best > known:
                _renew(m, chances, known, level - best, mean[row])
                known = level - best
            found = _policy(m, down, up, best, level, K)
            if found < cost * (1.0 - STILL):
                S, cost = level, found
                while best + 1 < 0 and cost < down[-best - 1] * (1.0 - STILL):
                    best += 1
                    cost = _policy(m, down, up, best, S, K)
        whole[row, 0], whole[row, 1], costs[row] = stock + best, stock + S, cost
