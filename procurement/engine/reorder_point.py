"""The reorder point s: how much position protects the sales of the protection interval at the wanted service level.

s is the quantile of the demand SUM over the protection interval L + R at the cycle service level, in whole units: the
smallest whole number whose probability of sufficing reaches the target. The safety stock is s minus the mean of that
demand; it may be negative (a lumpy item whose quantile lies below its mean) and is then shown as it is.
"""

from procurement.engine.explanation import Derivation
from procurement.engine.policies.one import Answer
from procurement.engine.quantiles import TAIL_SHAPE, QuantileCurve
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
    if curve.is_in_tail(probability):
        return _derive_tail_quantile(derivation, curve, code)
    if low == high:
        return derivation.given("forecast_quantile", "q", curve.units[low], "units", "forecast")
    derivation.given("probability_below", "p1", curve.probabilities[low], "probability", "forecast")
    derivation.given("quantile_below", "q1", curve.units[low], "units", "forecast")
    derivation.given("probability_above", "p2", curve.probabilities[high], "probability", "forecast")
    derivation.given("quantile_above", "q2", curve.units[high], "units", "forecast")
    derivation.derive("service_score", "z", f"normal_score({code})", "standard deviations")
    return derivation.derive("forecast_quantile", "q", _INTERPOLATION, "units")


def _derive_tail_quantile(derivation: Derivation, curve: QuantileCurve, code: str) -> float:
    """Beyond the last given quantile: q1 + σ/ξ·(((1 − p1)/(1 − p))^ξ − 1), through the last two."""
    given, derive = derivation.given, derivation.derive
    given("probability_below", "p1", curve.probabilities[-2], "probability", "forecast")
    given("quantile_below", "q1", curve.units[-2], "units", "forecast")
    given("tail_scale", "σt", curve.tail_scale, "units", "tail of the forecast")
    given("tail_shape", "ξ", TAIL_SHAPE, "", "tail of real demand")
    reach = f"power((1 - probability_below) / (1 - {code}), tail_shape) - 1"
    return derive("forecast_quantile", "q", f"quantile_below + tail_scale / tail_shape * ({reach})", "units")


def derive_reorder_point(
    derivation: Derivation, item: ReplenishmentInput, curve: QuantileCurve, answer: Answer
) -> QuantileCurve:
    """Add the terms up to the safety stock; returns the curve of demand including a varying lead time.

    `answer` comes from the kernel that also solves batches; where the forecast's own quantile is the answer the terms
    show how it was read off, otherwise the law that was fitted, and what the lead time adds, are given.
    """
    given, derive = derivation.given, derivation.derive
    given("mean_daily_demand", "d", item.mean_daily_demand, "units per day", "forecast")
    given("lead_time_days", "L", item.lead_time_days, "days", "supplier item")
    given("review_days", "R", item.review_days, "days", "policy")
    derive("protection_days", "L+R", "lead_time_days + review_days", "days")
    given("protection_mean", "μ", item.protection_mean, "units", "forecast")
    formula = "forecast_quantile"
    if item.target_kind == "cycle_service_level":
        source = "policy"
        if item.shared_fill_rate is not None:
            source = "part in the shared fill rate"
            given("shared_fill_rate", "β", item.shared_fill_rate, "share", "policy")
            given("shared_weight", "w", item.shared_weight, "share", source)
            if item.shared_spread != 1.0:
                given("shared_spread", "κ", item.shared_spread, "factor", "days of a year")
        given("service_level", "α", item.service_level, "probability", source)
        derive_forecast_quantile(derivation, curve, item.service_level, "service_level")
        extra = answer.cover - max(0.0, derivation.values["forecast_quantile"])
        if not answer.is_read_off and extra != 0.0:
            given("target_allowance", "q'−q", extra, "units", answer.reason)
            formula = "max(0, forecast_quantile) + target_allowance"
    else:
        _derive_other_target(derivation, item, answer)
    if item.lead_time_sd_days > 0.0 and not item.quantiles_include_lead_time:
        curve = _widen_for_lead_time(derivation, item, curve)
    if item.service_correction != 1.0:
        given("service_correction", "γ", item.service_correction, "factor", "effect of earlier policies")
        formula = f"protection_mean + service_correction * (max(0, {formula}) - protection_mean)"
    rounding = "round_down" if answer.level < answer.corrected_cover - 1e-6 else "round_up"
    derive("reorder_point", "s", f"{rounding}(max(0, {formula}), 1)", "units")
    derive("safety_stock", "SS", "reorder_point - protection_mean", "units")
    given("expected_cycle_service_level", "P1", answer.cycle_service_level, "probability", answer.reason)
    given("expected_fill_rate", "P2", answer.fill_rate, "share", answer.reason)
    return curve


def _derive_other_target(derivation: Derivation, item: ReplenishmentInput, answer: Answer) -> None:
    """The named target and the demand to cover that reaches it, on the fitted law."""
    if item.target_kind == "fill_rate":
        derivation.given("fill_rate", "β", item.fill_rate or 0.0, "share", "policy")
        derivation.derive("allowed_shortage", "n", "(1 - fill_rate) * mean_daily_demand * review_days", "units")
    else:
        derivation.given("target_stockout_cost", "p", item.stockout_cost_per_unit or 0.0, "money per unit", "policy")
        holding = item.holding_cost_rate_per_year * item.unit_cost / 365.0 * item.review_days
        derivation.given("target_holding_cost", "h", holding, "money per unit and review", "policy")
        ratio = "target_stockout_cost / (target_stockout_cost + target_holding_cost)"
        derivation.derive("critical_ratio", "p/(p+h)", ratio, "probability")
    derivation.given("forecast_quantile", "q", answer.cover, "units", answer.reason)


def _widen_for_lead_time(derivation: Derivation, item: ReplenishmentInput, curve: QuantileCurve) -> QuantileCurve:
    """Show σ' = √(σ² + d²·σ_L²) beside the exact allowance, and widen the curve the risk of waiting is read from.

    Every quantile keeps its distance from the mean in standard deviations. Source: Silver, Pyke & Thomas, *Inventory
    and Production Management in Supply Chains*, ch. 6 (σ_LTD² = (L+R)·σ_d² + d²·σ_L²). Worked: d = 100, σ_d = 30,
    L = 9, σ_L = 3 → σ = 90, σ' = 313.2. The level itself comes from the sum over a gamma lead time.
    """
    spread = item.protection_sd or spread_of(curve)
    derivation.given("lead_time_sd_days", "σL", item.lead_time_sd_days, "days", "supplier item")
    derivation.given("protection_sd", "σ", spread, "units", "forecast")
    squares = (
        "protection_sd * protection_sd + mean_daily_demand * mean_daily_demand * lead_time_sd_days * lead_time_sd_days"
    )
    widened = derivation.derive("protection_sd_with_lead_time", "σ'", f"sqrt({squares})", "units")
    if spread > widened * 1e-6:
        return curve.stretched(item.protection_mean, widened / spread)
    return QuantileCurve.normal(curve.units[0], widened)


def spread_of(curve: QuantileCurve) -> float:
    """Units per unit of z between the outermost given quantiles: the standard deviation if demand were normal."""
    if len(curve.units) < 2:
        return 0.0
    return (curve.units[-1] - curve.units[0]) / (curve.scores[-1] - curve.scores[0])
