"""How the demand of a SKU has answered to its price in the last half year."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from forecasting.selectors.prices import paid_prices
from forecasting.selectors.series import Pair, demand_panel

DAYS = 180


def elasticities_of(pairs: Sequence[Pair], categories: Mapping[int, int | None], *, until: date) -> dict[Pair, float]:
    """Each pair's elasticity, learned from its days at another price than the usual one, drawn towards its category's.

    The usual price is the median of the days with one; expected is the mean of the days at it. Four queries.
    """
    import numpy as np

    from procurement.engine.clearance import learn_elasticities

    prices = paid_prices(pairs, first=until - timedelta(days=DAYS - 1), until=until)
    sold, _starts = demand_panel(pairs, until=until, days=DAYS)
    ratios, expected = [], []
    for price, units in zip(prices, sold, strict=True):
        known = np.isfinite(price) & np.isfinite(units)
        usual = float(np.median(price[known])) if known.any() else np.nan
        ratio = price / usual
        at_usual = units[known & (np.abs(ratio - 1.0) <= 0.01)]
        ratios.append(ratio)
        expected.append(np.full(DAYS, at_usual.mean() if len(at_usual) else 0.0))
    groups = [str(categories.get(sku) or "") for sku, _warehouse in pairs]
    items, _by_group = learn_elasticities(ratios, list(sold), expected, groups)
    return {pair: item.value for pair, item in zip(pairs, items, strict=True)}
