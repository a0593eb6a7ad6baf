"""Lead times per supplier and item, shrunk: item towards its supplier, the supplier towards all.

Weight n/(n + k) for n own observations, k the spread within over the spread between (empirical Bayes), as in Bühlmann's
credibility. Means and coefficients of variation are shrunk, so a dependable supplier's few deliveries stay dependable.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from procurement.engine.errors import ParameterError
from procurement.engine.lead_times.censored import fit_censored
from procurement.engine.lead_times.types import Array, Observations, Profile

Pair = tuple[int, int]

#: Observations a group's own lead time must have to count as much as what it is shrunk to, where too few groups tell.
_USUAL_K = 4.0
_USUAL_CV = 0.3


def learn_lead_times(
    observed: Observations, *, stated: Mapping[int, float] | None = None
) -> tuple[dict[Pair, Profile], dict[int, Profile], Profile | None]:
    """Profiles of (supplier, item), of each supplier, and of all (None without any observation).

    `stated`: a supplier's own word in days; it is what that supplier is shrunk to instead of the mean of all.
    """
    _check(observed)
    if not len(observed.days):
        return {}, {}, None
    lines = _lines(observed)
    shipments = _weights(lines)
    everything = _profile(lines.days, shipments, lines.is_open, lines.promised)
    suppliers = _level(lines.supplier, lines, shipments, dict.fromkeys(np.unique(lines.supplier).tolist(), everything))
    for supplier, days in (stated or {}).items():
        own = _own(lines.supplier == supplier, lines, shipments)
        suppliers[supplier] = _shrunk(own, Profile(days, days * _USUAL_CV, 0, 0.0), _USUAL_K)
    keys, codes = np.unique(np.stack([lines.supplier, lines.item], axis=1), axis=0, return_inverse=True)
    parents = {code: suppliers[int(supplier)] for code, (supplier, _) in enumerate(keys)}
    profiles = _level(codes.ravel(), lines, np.ones(len(lines.days)), parents)
    return {(int(s), int(i)): profiles[code] for code, (s, i) in enumerate(keys)}, suppliers, everything


def _check(observed: Observations) -> None:
    for name in ("days", "units"):
        values = getattr(observed, name)
        if not (np.isfinite(values) & (values >= 0.0)).all():
            raise ParameterError(name, "must be numbers of at least 0")


def _lines(observed: Observations) -> Observations:
    """One row for each (supplier, item, shipment): part receipts at their unit-weighted mean day; open if none came."""
    keys = np.stack([observed.supplier, observed.item, observed.shipment], axis=1)
    different, places = np.unique(keys, axis=0, return_inverse=True)
    places = places.ravel()
    count = len(different)
    came = np.bincount(places, weights=~observed.is_open, minlength=count) > 0.0
    counts = np.where(observed.is_open & came[places], 0.0, np.maximum(observed.units, 1e-9))
    total = np.bincount(places, weights=counts, minlength=count)
    days = np.bincount(places, weights=counts * observed.days, minlength=count) / total
    promised = np.full(count, np.nan)
    if len(observed.promised):
        promised[places] = observed.promised
    return Observations(
        supplier=different[:, 0], item=different[:, 1], shipment=different[:, 2], days=days,
        is_open=~came, units=np.asarray(total, dtype=np.float64), promised=promised,
    )  # fmt: skip


def _weights(lines: Observations) -> Array:
    """Each shipment counts once for its supplier, however many lines it has."""
    keys = np.stack([lines.supplier, lines.shipment], axis=1)
    _, places, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[places.ravel()])


def _profile(days: Array, weights: Array, is_open: NDArray[np.bool_], promised: Array) -> Profile:
    mean, sd = fit_censored(days, weights, is_open)
    known = ~is_open & np.isfinite(promised)
    bias = float(np.average((days - promised)[known], weights=weights[known])) if known.any() else float("nan")
    return Profile(mean, sd, round(float(weights[~is_open].sum())), 1.0, bias)


def _own(rows: NDArray[np.bool_] | NDArray[np.int64], lines: Observations, weights: Array) -> Profile:
    if not len(lines.days[rows]):
        return Profile(0.0, 0.0, 0, 0.0)
    return _profile(lines.days[rows], weights[rows], lines.is_open[rows], lines.promised[rows])


def _level(
    groups: NDArray[np.int64], lines: Observations, weights: Array, parents: Mapping[int, Profile]
) -> dict[int, Profile]:
    """Every group's own profile, shrunk to its parent's."""
    order = np.argsort(groups, kind="stable")
    different, starts = np.unique(groups[order], return_index=True)
    own = {
        int(group): _own(rows, lines, weights)
        for group, rows in zip(different, np.split(order, starts[1:]), strict=True)
    }
    k = _credibility(own, parents)
    return {group: _shrunk(profile, parents[group], k) for group, profile in own.items()}


def _credibility(own: Mapping[int, Profile], parents: Mapping[int, Profile]) -> float:
    """k = spread within / spread between, both relative to the parent's mean, from groups of 3 and more."""
    groups = [(p, parents[g]) for g, p in own.items() if p.observations >= 3 and parents[g].mean > 0.0]
    if len(groups) < 5:
        return _USUAL_K
    within = float(np.mean([(p.sd / parent.mean) ** 2 for p, parent in groups]))
    spread = float(np.mean([(p.mean / parent.mean - 1.0) ** 2 for p, parent in groups]))
    sampling = float(np.mean([(p.sd / parent.mean) ** 2 / p.observations for p, parent in groups]))
    between = spread - sampling
    return min(50.0, max(0.5, within / between)) if between > 0.02 * within else 50.0


def _shrunk(own: Profile, parent: Profile, k: float) -> Profile:
    weight = own.observations / (own.observations + k)
    mean = weight * own.mean + (1.0 - weight) * parent.mean
    # A spread needs two observations to be seen at all; fewer than that leave it to the parent.
    sure = max(0.0, own.observations - 1.0) / (max(0.0, own.observations - 1.0) + k)
    cv_own = own.sd / own.mean if own.mean > 0.0 else 0.0
    cv_parent = parent.sd / parent.mean if parent.mean > 0.0 else _USUAL_CV
    cv = (sure * cv_own**2 + (1.0 - sure) * cv_parent**2) ** 0.5
    return Profile(mean, mean * cv, own.observations, weight, own.promised_bias)
