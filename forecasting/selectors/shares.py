"""How a series' demand is divided over the channels."""

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta

from django.db import connection

from forecasting.models import ChannelForecast, ForecastRun
from forecasting.selectors import Pair

SHARE_DAYS = 90


def channel_shares(run: ForecastRun, pairs: Collection[Pair]) -> dict[Pair, dict[int, float]]:
    """(SKU, warehouse) → channel → its share of the demand, 0 to 1: the run's own where it forecast channels, else that
    of the 90 days up to its as_of. At most two queries."""
    shares: dict[Pair, dict[int, float]] = defaultdict(dict)
    rows = ChannelForecast.objects.filter(run=run, sku_id__in={sku for sku, _warehouse in pairs})
    for sku, warehouse, channel, share in rows.values_list("sku_id", "warehouse_id", "channel_id", "share"):
        shares[sku, warehouse][channel] = share
    missing = sorted({sku for sku, warehouse in pairs if (sku, warehouse) not in shares})
    if missing:
        forecast = set(shares)
        with connection.cursor() as cursor:
            since = run.as_of - timedelta(days=SHARE_DAYS)
            cursor.execute(_SHARES, {"skus": missing, "since": since, "until": run.as_of})
            for sku, warehouse, channel, share in cursor.fetchall():
                if (sku, warehouse) not in forecast:
                    shares[sku, warehouse][channel] = share
    return shares


_SHARES = """
SELECT sku_id, warehouse_id, channel_id,
       (sum(quantity) / sum(sum(quantity)) OVER (PARTITION BY sku_id, warehouse_id))::float8
FROM forecasting_demandhistory
WHERE sku_id = ANY(%(skus)s) AND day > %(since)s AND day <= %(until)s AND quantity > 0
GROUP BY 1, 2, 3
"""
