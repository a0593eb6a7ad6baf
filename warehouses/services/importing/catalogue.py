"""Products and SKUs that a file names and the catalogue does not have yet."""

from datetime import datetime

from django.db import connection


def add_missing_skus(*, now: datetime) -> dict[str, int]:
    """A SKU for every new code that was sold or came back, under the product its code begins with; rows made by kind.

    85123A is a variant of product 85123. A SKU is called what most of its lines call it and costs what most of them
    cost; a product with several variants is called by the words their names share. Nothing that exists is renamed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEW)
        cursor.execute("ANALYZE import_new_sku")
        cursor.execute("SELECT count(*) FROM import_new_sku")
        if not cursor.fetchone()[0]:
            cursor.execute("DROP TABLE import_new_sku")
            return {"products": 0, "SKUs": 0}
        cursor.execute(_PRODUCTS)
        products = cursor.rowcount
        cursor.execute(_SKUS, {"now": now})
        skus = cursor.rowcount
        cursor.execute(
            "UPDATE import_code code SET sku_id = sku.id FROM catalog_sku sku "
            "WHERE code.sku_id IS NULL AND sku.code = code.code"
        )
        cursor.execute("DROP TABLE import_new_sku")
    return {"products": products, "SKUs": skus}


_NEW = r"""
CREATE TEMP TABLE import_new_sku ON COMMIT DROP AS
WITH wanted AS (
    SELECT code.code FROM import_code code
    WHERE code.sku_id IS NULL AND code.code IN (SELECT i.code FROM import_item i WHERE i.verdict IN ('sale', 'return'))
), names AS (
    SELECT DISTINCT ON (code) code, regexp_replace(name, '\s+', ' ', 'g') AS name FROM (
        SELECT code, name, count(*) FILTER (WHERE verdict = 'sale') AS times
        FROM import_item WHERE name IS NOT NULL GROUP BY 1, 2
    ) called ORDER BY code, times DESC, length(name) DESC, name
), prices AS (
    SELECT DISTINCT ON (code) code, unit_price FROM (
        SELECT code, unit_price, count(*) AS times FROM import_item WHERE verdict = 'sale' GROUP BY 1, 2
    ) priced ORDER BY code, times DESC, unit_price DESC
)
SELECT code, left(names.name, 300) AS name, coalesce(prices.unit_price, 0) AS unit_price,
       coalesce(substring(code FROM '^(\d{5})[A-Z]{1,3}$'), code) AS product_code
FROM wanted JOIN names USING (code) LEFT JOIN prices USING (code)
"""

# The words of a product's first variant that all its other variants have too, in their order.
_PRODUCTS = """
WITH variants AS (
    SELECT product_code, count(*) AS variants, (array_agg(name ORDER BY code))[1] AS first_name
    FROM import_new_sku GROUP BY 1
), common AS (
    SELECT n.product_code, word, count(DISTINCT n.code) AS variants
    FROM import_new_sku n, unnest(string_to_array(n.name, ' ')) AS word GROUP BY 1, 2
), shared AS (
    SELECT v.product_code, string_agg(word, ' ' ORDER BY place) AS name
    FROM variants v
    CROSS JOIN unnest(string_to_array(v.first_name, ' ')) WITH ORDINALITY AS words(word, place)
    JOIN common USING (product_code, variants, word) GROUP BY 1
)
INSERT INTO catalog_product (code, name)
SELECT v.product_code, CASE WHEN length(s.name) >= 4 THEN s.name ELSE v.first_name END
FROM variants v LEFT JOIN shared s USING (product_code)
ORDER BY 1 ON CONFLICT (code) DO NOTHING
"""

_SKUS = """
INSERT INTO catalog_sku (code, name, barcode, status, unit_price, unit_cost, created_at, product_id)
SELECT new.code, new.name, '', 'active', new.unit_price, 0, %(now)s, product.id
FROM import_new_sku new JOIN catalog_product product ON product.code = new.product_code
ORDER BY 1 ON CONFLICT (code) DO NOTHING
"""
