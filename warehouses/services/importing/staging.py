"""The lines of the file in the database, as text first, then judged: each line gets exactly one verdict."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from io import BytesIO

from django.db import connection

from catalog.models import Channel
from warehouses.services.importing.columns import FIELDS
from warehouses.services.importing.reading import COPY_COLUMNS, Progress, SalesFile

DATE_ORDERS = {"ymd": "YMD", "dmy": "DMY", "mdy": "MDY"}

TABLES = ("import_raw", "import_code", "import_item", "import_sale", "import_back", "import_new_back")


def stage_lines(file: SalesFile, positions: Mapping[str, int], *, progress: Progress) -> None:
    """The file's lines as they stand, into the temporary table import_raw (it goes with the transaction)."""
    columns = ", ".join(COPY_COLUMNS)
    drop_tables()
    with connection.cursor() as cursor:
        fields = ", ".join(f"{name} text" for name in (*FIELDS, "fault"))
        cursor.execute(f"CREATE TEMP TABLE import_raw (line integer NOT NULL, {fields}) ON COMMIT DROP")
        copy = f"COPY import_raw ({columns}) FROM STDIN (FORMAT csv, FORCE_NULL ({columns}))"
        for chunk in file.copy_chunks(positions, progress):
            cursor.copy_expert(copy, BytesIO(chunk))
        cursor.execute("ANALYZE import_raw")


def judge_lines(*, channel: Channel, known_skus_only: bool, date_order: str, now: datetime) -> None:
    """`sale`, `return`, `skipped.<why>` or `rejected.<why>` of each line, in import_item; the codes, in import_code."""
    with connection.cursor() as cursor:
        cursor.execute(_CODES, {"patterns": like_patterns(channel.ignored_codes.splitlines())})
        cursor.execute("ANALYZE import_code")
        cursor.execute("SELECT current_setting('TimeZone'), current_setting('DateStyle')")
        before = cursor.fetchone()
        # A timestamp without an offset is the shop's own clock; one with an offset keeps it.
        _set_clock(cursor, (channel.time_zone, f"ISO, {DATE_ORDERS[date_order]}"))
        cursor.execute(_ITEMS, {"now": now, "known_only": known_skus_only, "ymd": date_order == "ymd"})
        _set_clock(cursor, before)
        cursor.execute("ANALYZE import_item")


def like_patterns(globs: Iterable[str]) -> list[str]:
    """gift_* → GIFT\\_%: the globs of Channel.ignored_codes as patterns for LIKE, blank ones left out."""
    escaped = (glob.strip().upper().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for glob in globs)
    return [glob.replace("*", "%").replace("?", "_") for glob in escaped if glob]


def _set_clock(cursor: object, values: tuple[str, str]) -> None:
    cursor.execute("SELECT set_config('TimeZone', %s, true), set_config('DateStyle', %s, true)", values)  # type: ignore[attr-defined]


_CODES = """
CREATE TEMP TABLE import_code ON COMMIT DROP AS
SELECT met.code, met.has_name, met.code LIKE ANY (%(patterns)s::text[]) AS is_no_goods, sku.id AS sku_id
FROM (
    SELECT upper(btrim(sku)) AS code, bool_or(coalesce(btrim(name), '') <> '') AS has_name
    FROM import_raw WHERE sku IS NOT NULL GROUP BY 1
) met
LEFT JOIN catalog_sku sku ON sku.code = met.code
"""

# The order of the reasons is the rule: the first that holds is the line's verdict. OFFSET 0 keeps the casts from being
# repeated for every reason. Numbers are judged before rounding, so NaN and Infinity (both beyond every bound) show.
_ITEMS = r"""
CREATE TEMP TABLE import_item ON COMMIT DROP AS
WITH cancelled AS MATERIALIZED (
    SELECT DISTINCT btrim(order_id) AS order_id FROM import_raw
    WHERE cancelled_at IS NOT NULL
       OR lower(btrim(status)) IN ('cancelled', 'canceled', 'voided', 'failed', 'refunded', 'trash', 'wc-cancelled',
                                   'wc-failed', 'wc-refunded')
)
SELECT line, part, order_id, code, name, customer, country, ordered_at,
       CASE WHEN verdict IN ('sale', 'return') THEN round(quantity, 3)::numeric(14, 3) END AS quantity,
       CASE WHEN verdict IN ('sale', 'return') THEN round(price, 4)::numeric(18, 4) END AS unit_price, verdict
FROM (
    SELECT *, CASE
        WHEN fault IS NOT NULL THEN 'rejected.' || fault
        WHEN coalesce(order_id, '') = '' OR length(order_id) > 64 THEN 'rejected.order_id'
        WHEN coalesce(code, '') = '' OR length(code) > 64 THEN 'rejected.sku'
        WHEN order_id ~ '^A\d' AND (is_no_goods OR price < 0) THEN 'skipped.bad_debt'
        WHEN is_no_goods THEN 'skipped.not_goods'
        WHEN is_cancelled THEN 'skipped.cancelled_order'
        WHEN quantity IS NULL THEN 'rejected.quantity'
        WHEN abs(quantity) > 1e9 THEN 'rejected.huge_quantity'
        WHEN round(quantity, 3) = 0 THEN 'skipped.zero_quantity'
        WHEN price IS NULL THEN 'rejected.price'
        WHEN abs(price) > 1e9 THEN 'rejected.huge_price'
        WHEN ordered_at IS NULL THEN 'rejected.date'
        WHEN ordered_at > %(now)s THEN 'rejected.future'
        WHEN ordered_at < '1980-01-01+00' THEN 'rejected.too_old'
        WHEN quantity < 0 AND order_id !~* '^C' THEN 'skipped.write_off'
        WHEN price < 0 THEN 'rejected.negative_price'
        WHEN price = 0 THEN 'skipped.give_away'
        WHEN sku_id IS NULL AND (%(known_only)s OR NOT has_name) THEN 'rejected.unknown_sku'
        WHEN quantity < 0 THEN 'return'
        ELSE 'sale'
    END AS verdict
    FROM (
        SELECT raw.line, raw.part, raw.fault, btrim(raw.order_id) AS order_id, code.code, code.sku_id, code.has_name,
               code.is_no_goods, cancelled.order_id IS NOT NULL AS is_cancelled,
               CASE WHEN code.sku_id IS NULL THEN nullif(btrim(raw.name), '') END AS name,
               left(CASE WHEN lower(raw.customer) = 'nan' THEN '' WHEN raw.customer LIKE '%%.0'
                    THEN left(raw.customer, -2) ELSE coalesce(btrim(raw.customer), '') END, 64) AS customer,
               left(coalesce(btrim(raw.country), ''), 64) AS country,
               quantity,
               coalesce(raw.price, raw.total / nullif(raw.quantity, 0)) AS price,
               CASE WHEN raw.ordered_at ~ (CASE WHEN %(ymd)s THEN '^\s*\d{4}[-/.]' ELSE '^\s*\d' END)
                     AND pg_input_is_valid(raw.ordered_at, 'timestamptz') THEN raw.ordered_at::timestamptz
               END AS ordered_at
        FROM (
            SELECT line, part, fault, order_id, sku, name, customer, country, ordered_at,
                   CASE WHEN pg_input_is_valid(quantity, 'numeric') THEN quantity::numeric END AS quantity,
                   CASE WHEN pg_input_is_valid(unit_price, 'numeric') THEN unit_price::numeric END AS price,
                   CASE WHEN pg_input_is_valid(line_total, 'numeric') THEN line_total::numeric END AS total
            FROM import_raw OFFSET 0
        ) raw
        LEFT JOIN import_code code ON code.code = upper(btrim(raw.sku))
        LEFT JOIN cancelled ON cancelled.order_id = btrim(raw.order_id)
        OFFSET 0
    ) line
    OFFSET 0
) judged
"""


def drop_tables() -> None:
    """The commit would do it; an import inside a larger transaction leaves nothing lying about."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(TABLES)}")
