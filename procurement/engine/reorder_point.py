"""The reorder point s: how much position protects the sales of the protection interval at the wanted service level.

s is the quantile of the demand SUM over the protection interval L + R at the cycle service level, in whole units: the
smallest whole number whose probability of sufficing reaches the target. The safety stock is s minus the mean of that
demand; it may be negative (a lumpy item whose quantile lies below its mean) and is then shown as it is.
"""

from procurement.engine.explanation import Derivation
from procurement.engine.quantiles import QuantileCurve
from procurement.engine.replenishment_types import ReplenishmentInput

_INTERPOLATION = (
    "quantile_below + (quantile_above - quantile_below)"
    " * (service_score - normal_score(probability_below))"
    " / (normal_score(probability_above) - normal_score(probability_below))"
)


def demand_curve(item: ReplenishmentInput) -> QuantileCurve:
    """The forecast quantiles, or a normal distribution where the forecast gave none."""
    if item.protection_quantiles:
        return QuantileCurve.through(item.protection_quantiles, "protection_quantiles")
    return QuantileCurve.normal(item.protection_mean, item.protection_sd)


def derive_forecast_quantile(derivation: Derivation, curve: QuantileCurve, probability: float, code: str) -> float:
    """Add the terms that lead from the given quantiles to the one at `probability` (already a term named `code`).

    Worked: q(0.9) = 20 and q(0.95) = 24 give at 0.93: 20 + 4·(1.4758 − 1.2816)/(1.6449 − 1.2816) = 22.139.
    """
    low, high = curve.bracket(probability)
    if low == high:
        return derivation.given("forecast_quantile", "q", curve.units[low], "units", "forecast")
    derivation.given("probability_below", "p1", curve.probabilities[low], "probability", "forecast")
    derivation.given("quantile_below", "q1", curve.units[low], "units", "forecast")
    derivation.given("probability_above", "p2", curve.probabilities[high], "probability", "forecast")
    derivation.given("quantile_above", "q2", curve.units[high], "units", "forecast")
    derivation.derive("service_score", "z", f"normal_score({code})", "standard deviations")
    return derivation.derive("forecast_quantile", "q", _INTERPOLATION, "units")


def derive_reorder_point(derivation: Derivation, item: ReplenishmentInput, curve: QuantileCurve) -> QuantileCurve:
    """Add the terms up to the safety stock; returns the curve of demand including a varying lead time."""
    given, derive = derivation.given, derivation.derive
    given("mean_daily_demand", "d", item.mean_daily_demand, "units per day", "forecast")
    given("lead_time_days", "L", item.lead_time_days, "days", "supplier item")
    given("review_days", "R", item.review_days, "days", "policy")
    derive("protection_days", "L+R", "lead_time_days + review_days", "days")
    given("protection_mean", "μ", item.protection_mean, "units", "forecast")
    given("service_level", "α", item.service_level, "probability", "policy")
    derive_forecast_quantile(derivation, curve, item.service_level, "service_level")
    uncertain = item.lead_time_sd_days > 0.0
    if uncertain:
        curve = _derive_lead_time_allowance(derivation, item, curve)
    allowance = " + lead_time_allowance" if uncertain else ""
    derive("reorder_point", "s", f"round_up(max(0, forecast_quantile{allowance}), 1)", "units")
    derive("safety_stock", "SS", "reorder_point - protection_mean", "units")
    return curve


def _derive_lead_time_allowance(
    derivation: Derivation, item: ReplenishmentInput, curve: QuantileCurve
) -> QuantileCurve:
    """Widen the demand for a varying lead time: σ' = √(σ² + d²·σ_L²), with σ of demand over the protection interval.

    Every quantile keeps its distance from the mean in standard deviations. Source: Silver, Pyke & Thomas, *Inventory
    and Production Management in Supply Chains*, ch. 6 (σ_LTD² = (L+R)·σ_d² + d²·σ_L²). Worked: d = 100, σ_d = 30,
    L = 9, σ_L = 3 → σ = 90, σ' = 313.2. Better than this is a forecast whose quantiles already include the lead time.
    """
    spread = item.protection_sd or spread_of(curve)
    derivation.given("lead_time_sd_days", "σL", item.lead_time_sd_days, "days", "supplier item")
    derivation.given("protection_sd", "σ", spread, "units", "forecast")
    squares = (
        "protection_sd * protection_sd + mean_daily_demand * mean_daily_demand * lead_time_sd_days * lead_time_sd_days"
    )
    widened = derivation.derive("protection_sd_with_lead_time", "σ'", f"sqrt({squares})", "units")
    if spread > widened * 1e-6:
        formula = "(forecast_quantile - protection_mean) * (protection_sd_with_lead_time / protection_sd - 1)"
        curve = curve.stretched(item.protection_mean, widened / spread)
    else:
        formula = "normal_score(service_level) * protection_sd_with_lead_time"
        curve = QuantileCurve.normal(curve.units[0], widened)
    derivation.derive("lead_time_allowance", "q'−q", formula, "units")
    return curve


def spread_of(curve: QuantileCurve) -> float:
    """Units per unit of z between the outermost given quantiles: the standard deviation if demand were normal."""
    if len(curve.units) < 2:
        return 0.0
    return (curve.units[-1] - curve.units[0]) / (curve.scores[-1] - curve.scores[0])
