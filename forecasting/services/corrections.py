"""Demand that was no ordinary demand: one-off bulk orders by rule, outliers by the engine, and a planner's word on
either, which always stands."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed
from forecasting.models import HistoryCorrection
from forecasting.selectors.series import Pair

if TYPE_CHECKING:
    from forecasting.engine.cleaning import Changes

BULK_TIMES_USUAL = 20
BULK_SHARE_OF_MONTH = Decimal("0.5")
USUAL_DAYS = 365
LEAST_LINES = 8


def find_bulk_orders(*, first: date, until: date) -> int:
    """Write a correction for every day with one-off bulk lines between the two days; returns the rows written.

    A line is one-off when what was not cancelled or returned of it is more than 20 times the SKU's usual (median) line
    of the year before, of which there must be 8, and more than half of the SKU's mean monthly demand in that year. The
    day is then read with each such line at the usual size. A planner's decision on a day is never overwritten; a row
    whose reason is gone (the line was cancelled since) is deleted. Lines cancelled as a whole are no demand at all:
    `refresh_demand` nets them on the day of the order.
    """
    values: dict[str, Any] = {
        "first": first,
        "until": until,
        "usual_days": USUAL_DAYS,
        "times": BULK_TIMES_USUAL,
        "share": BULK_SHARE_OF_MONTH,
        "least": LEAST_LINES,
        "reason": _("One line of %(times)s times the usual size") % {"times": BULK_TIMES_USUAL},
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bulk_line, bulk_found")
        cursor.execute(_LINES, values)
        cursor.execute("CREATE INDEX ON bulk_line (sku_id, day)")
        cursor.execute("ANALYZE bulk_line")
        cursor.execute(_BULK, values)
        cursor.execute(_GONE, values)
        rows = cursor.rowcount
        cursor.execute(_WRITE, values)
        rows += cursor.rowcount
        cursor.execute("DROP TABLE bulk_line, bulk_found")
    return rows


def record_outliers(pairs: Sequence[Pair], *, first: date, changes: "Changes") -> int:
    """Outliers that the engine's cleaning capped, as rows a planner can look at; returns the rows written.

    `changes` are those of `clean(panel)` whose rows are `pairs` and whose first day is `first`. A row that is there
    already, whatever its kind, stays as it is unless it was found by rule and its figures have changed.
    """
    from forecasting.engine.cleaning import KINDS

    kind = KINDS.index("outlier")
    found = [
        HistoryCorrection(
            sku_id=pairs[int(changes.row[i])][0],
            warehouse_id=pairs[int(changes.row[i])][1],
            day=first + timedelta(int(changes.period[i])),
            kind=HistoryCorrection.Kind.OUTLIER,
            observed=Decimal(repr(round(float(changes.observed[i]), 3))),
            corrected=Decimal(repr(round(float(changes.used[i]), 3))),
            reason=_("Far above the sales before it"),
        )
        for i in (changes.kind == kind).nonzero()[0]
    ]
    return len(HistoryCorrection.objects.bulk_create(found, ignore_conflicts=True, batch_size=2000))


def decide_correction(
    correction: HistoryCorrection, *, decision: str, by: Any, now: datetime, corrected: Decimal | None = None
) -> HistoryCorrection:
    """A planner keeps the day as sold, or confirms (or sets) what it is read as; or hands it back to the rule.

    Locks the row. Raises ValidationFailed for a negative quantity or an unknown decision.
    """
    if decision not in HistoryCorrection.Decision.values:
        raise ValidationFailed(_("No such decision: %(decision)s.") % {"decision": decision})
    if corrected is not None and corrected < 0:
        raise ValidationFailed(_("Demand is not negative."))
    with transaction.atomic():
        row = HistoryCorrection.objects.select_for_update(of=("self",)).get(pk=correction.pk)
        row.decision, row.decided_by, row.decided_at = decision, by, now
        if corrected is not None:
            row.corrected = corrected
        row.save(update_fields=["decision", "decided_by", "decided_at", "corrected"])
    return row


_LINES = """
CREATE TEMP TABLE bulk_line ON COMMIT DROP AS
SELECT line.sku_id, line.warehouse_id, (o.ordered_at AT TIME ZONE channel.time_zone)::date AS day,
       line.quantity - line.cancelled_quantity - line.returned_quantity AS units, line.id
FROM warehouses_salesorderline line
JOIN warehouses_salesorder o ON o.id = line.order_id
JOIN catalog_channel channel ON channel.id = o.channel_id
WHERE NOT line.is_kit AND line.quantity > line.cancelled_quantity + line.returned_quantity
  AND o.ordered_at >= %(first)s::date - %(usual_days)s - 1 AND o.ordered_at < %(until)s::date + 2
"""

# The usual line is worked out only for lines that are large among all of their SKU's: a handful.
_BULK = """
CREATE TEMP TABLE bulk_found ON COMMIT DROP AS
WITH large AS (
    SELECT line.* FROM bulk_line line
    JOIN (
        SELECT sku_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY units) AS middle FROM bulk_line GROUP BY sku_id
    ) usual USING (sku_id)
    WHERE line.day BETWEEN %(first)s AND %(until)s AND line.units > usual.middle * %(times)s / 4.0
), judged AS (
    SELECT large.*, before.middle
    FROM large CROSS JOIN LATERAL (
        SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY line.units) AS middle, count(*) AS lines,
               sum(line.units) / greatest((large.day - min(line.day)) / 30.4, 1) AS a_month
        FROM bulk_line line
        WHERE line.sku_id = large.sku_id AND line.day < large.day AND line.day >= large.day - %(usual_days)s
    ) before
    WHERE before.lines >= %(least)s AND large.units > before.middle * %(times)s
      AND large.units > before.a_month * %(share)s
)
SELECT judged.sku_id, judged.warehouse_id, judged.day, sum(judged.units - judged.middle) AS excess
FROM judged GROUP BY 1, 2, 3
"""

_GONE = """
DELETE FROM forecasting_historycorrection old
WHERE old.kind = 'bulk' AND old.decision = 'auto' AND old.day BETWEEN %(first)s AND %(until)s
  AND NOT EXISTS (
    SELECT FROM bulk_found new WHERE (new.sku_id, new.warehouse_id, new.day) = (old.sku_id, old.warehouse_id, old.day)
)
"""

_WRITE = """
INSERT INTO forecasting_historycorrection AS old
       (sku_id, warehouse_id, day, kind, observed, corrected, decision, reason, found_at)
SELECT new.sku_id, new.warehouse_id, new.day, 'bulk', sold.units, greatest(sold.units - new.excess, 0), 'auto',
       %(reason)s, now()
FROM bulk_found new
JOIN LATERAL (
    SELECT sum(d.quantity) AS units FROM forecasting_demandhistory d
    WHERE (d.sku_id, d.warehouse_id, d.day) = (new.sku_id, new.warehouse_id, new.day)
) sold ON sold.units > 0
ORDER BY 1, 2, 3
ON CONFLICT (sku_id, warehouse_id, day) DO UPDATE
SET kind = 'bulk', observed = EXCLUDED.observed, corrected = EXCLUDED.corrected, reason = EXCLUDED.reason
WHERE old.decision = 'auto'
  AND (old.kind, old.observed, old.corrected) <> ('bulk', EXCLUDED.observed, EXCLUDED.corrected)
"""
