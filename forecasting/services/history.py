"""Orders become demand (step 4 of the story): per SKU, channel, warehouse and day of the channel's own calendar."""

from zoneinfo import available_timezones

from django.db import connection, transaction
from django.utils.translation import gettext as _

from catalog.models import Channel
from config.kernel.errors import ValidationFailed


def refresh_demand() -> int:
    """Bring DemandHistory in step with all orders, imported and live; returns the rows inserted, changed and deleted.

    demand = ordered − cancelled − returned, all three on the day of the order; of a kit that of its parts, which are
    what is stocked and bought. Only rows that differ are written, so a
    second call writes nothing. One refresh at a time (an advisory lock); orders are read, not locked. Raises
    ValidationFailed for a channel whose time zone does not exist: its days would be anybody's guess.
    """
    _check_time_zones()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('entrepot.refresh_demand', 0))")
        cursor.execute("SET LOCAL work_mem = '128MB'")
        cursor.execute("DROP TABLE IF EXISTS demand_fresh")
        cursor.execute(_FRESH)
        cursor.execute("ANALYZE demand_fresh")
        rows = 0
        for statement in (_VANISHED, _CHANGED, _NEW):
            cursor.execute(statement)
            rows += cursor.rowcount
        cursor.execute("DROP TABLE demand_fresh")
    if rows > _MANY:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE forecasting_demandhistory")
    return rows


def _check_time_zones() -> None:
    known = available_timezones()
    wrong = [c for c in Channel.objects.only("code", "time_zone").order_by("code") if c.time_zone not in known]
    if wrong:
        raise ValidationFailed(
            _("No such time zone: %(channels)s.")
            % {"channels": ", ".join(f"{channel.code}: {channel.time_zone}" for channel in wrong)},
            items=[{"channel": channel.code, "time_zone": channel.time_zone} for channel in wrong],
        )


_MANY = 10_000  # rows after which the planner should look at the table again

_FRESH = """
CREATE TEMP TABLE demand_fresh ON COMMIT DROP AS
SELECT line.sku_id, line.warehouse_id, placed.channel_id, placed.day,
       sum(line.quantity) AS ordered, sum(line.cancelled_quantity) AS cancelled,
       sum(line.returned_quantity) AS returned, count(*) AS orders
FROM warehouses_salesorderline line
JOIN (
    SELECT o.id, o.channel_id, (o.ordered_at AT TIME ZONE channel.time_zone)::date AS day
    FROM warehouses_salesorder o JOIN catalog_channel channel ON channel.id = o.channel_id
    OFFSET 0 -- the day is worked out once an order, not once a line
) placed ON placed.id = line.order_id
WHERE NOT line.is_kit
GROUP BY 1, 2, 3, 4
"""

_VANISHED = """
DELETE FROM forecasting_demandhistory old WHERE NOT EXISTS (
    SELECT FROM demand_fresh new
    WHERE (new.sku_id, new.warehouse_id, new.channel_id, new.day)
        = (old.sku_id, old.warehouse_id, old.channel_id, old.day)
)
"""

_CHANGED = """
UPDATE forecasting_demandhistory old
SET quantity = new.ordered - new.cancelled - new.returned, ordered = new.ordered, cancelled = new.cancelled,
    returned = new.returned, orders = new.orders
FROM demand_fresh new
WHERE (new.sku_id, new.warehouse_id, new.channel_id, new.day)
    = (old.sku_id, old.warehouse_id, old.channel_id, old.day)
  AND (new.ordered, new.cancelled, new.returned, new.orders)
   <> (old.ordered, old.cancelled, old.returned, old.orders)
"""

_NEW = """
INSERT INTO forecasting_demandhistory (sku_id, warehouse_id, channel_id, day, quantity, ordered, cancelled, returned,
                                       orders)
SELECT new.sku_id, new.warehouse_id, new.channel_id, new.day, new.ordered - new.cancelled - new.returned,
       new.ordered, new.cancelled, new.returned, new.orders
FROM demand_fresh new
LEFT JOIN forecasting_demandhistory old
       ON (new.sku_id, new.warehouse_id, new.channel_id, new.day)
        = (old.sku_id, old.warehouse_id, old.channel_id, old.day)
WHERE old.id IS NULL
ORDER BY 1, 2, 3, 4
"""
