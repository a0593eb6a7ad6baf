"""Which column of a shop's export holds what: the header names of common shops, and the user's own map over them."""

import re
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed

FIELDS = (
    "order_id",
    "sku",
    "name",
    "quantity",
    "ordered_at",
    "unit_price",
    "line_total",
    "customer",
    "country",
    "status",
    "cancelled_at",
    "part",
)
"""What a line can say. `part`: the sheet of a file that joins several exports, which may overlap."""

REQUIRED = ("order_id", "sku", "quantity", "ordered_at", "unit_price")
"""line_total does for unit_price: the price of the line, all units together."""

Profile = Mapping[str, tuple[str, ...]]

# The first spelling is the one shown when the column is missing. Specific exports first: Shopify's "Name" is the order.
PROFILES: tuple[Profile, ...] = (
    {
        "order_id": ("Invoice", "InvoiceNo"),
        "sku": ("StockCode",),
        "name": ("Description",),
        "quantity": ("Quantity",),
        "ordered_at": ("InvoiceDate", "invoice_ts"),
        "unit_price": ("Price", "UnitPrice"),
        "customer": ("Customer ID",),
        "country": ("Country",),
        "part": ("sheet",),
    },
    {
        "order_id": ("Name",),
        "sku": ("Lineitem sku",),
        "name": ("Lineitem name",),
        "quantity": ("Lineitem quantity",),
        "ordered_at": ("Created at",),
        "unit_price": ("Lineitem price",),
        "customer": ("Email",),
        "country": ("Shipping Country",),
        "status": ("Financial Status",),
        "cancelled_at": ("Cancelled at",),
    },
    {
        "order_id": ("amazon-order-id", "order-id"),
        "sku": ("sku",),
        "name": ("product-name",),
        "quantity": ("quantity", "quantity-purchased"),
        "ordered_at": ("purchase-date",),
        "line_total": ("item-price",),
        "customer": ("buyer-email",),
        "country": ("ship-country",),
        "status": ("order-status",),
    },
    {
        "order_id": ("Order Number", "Order ID"),
        "sku": ("SKU", "Product SKU"),
        "name": ("Item Name", "Product Name"),
        "quantity": ("Quantity", "Quantity (- Refund)"),
        "ordered_at": ("Order Date",),
        "unit_price": ("Item Cost", "Product Price"),
        "customer": ("Email (Billing)", "Customer Email", "Customer User ID"),
        "country": ("Country Code (Shipping)", "Country Code (Billing)", "Country Name (Shipping)"),
        "status": ("Order Status",),
    },
    {
        "order_id": ("order_id", "order", "order_number", "invoice", "invoice_no"),
        "sku": ("sku", "stock_code", "item_code", "product_code", "article_number"),
        "name": ("name", "product_name", "description", "title"),
        "quantity": ("quantity", "qty", "units"),
        "ordered_at": ("ordered_at", "order_date", "created_at", "invoice_date", "date", "timestamp"),
        "unit_price": ("unit_price", "price"),
        "line_total": ("line_total",),
        "customer": ("customer", "customer_id", "customer_reference", "email"),
        "country": ("country", "ship_to_country", "shipping_country"),
        "status": ("status", "order_status"),
        "cancelled_at": ("cancelled_at",),
        "part": ("part", "sheet"),
    },
)


def column_positions(header: Sequence[str], *, column_map: Mapping[str, str], where: str) -> dict[str, int]:
    """Field → position in the row. `column_map` (column → field) wins; `where` names file and line in the complaint.

    Raises ValidationFailed naming every missing column, and one that is needed and stands there twice.
    """
    chosen = _mapped(header, column_map, where)
    known = {_bare(title): position for position, title in reversed(list(enumerate(header)))}
    candidates = [{**_found(profile, known, chosen), **chosen} for profile in PROFILES]
    missing = [_missing(found) for found in candidates]
    best = min(range(len(PROFILES)), key=lambda i: (len(missing[i]), i))
    if missing[best]:
        raise ValidationFailed(
            _(
                "%(where)s: missing column %(missing)s (the columns are: %(header)s); rename them in the file, or name "
                "them to “manage.py import_sales” with --map COLUMN=FIELD."
            )
            % {
                "where": where,
                "missing": ", ".join(_shown(PROFILES[best], field) for field in missing[best]),
                "header": ", ".join(header)[:300] or _("none"),
            }
        )
    _refuse_twins(header, candidates[best], chosen, where)
    return candidates[best]


def known_titles(header: Sequence[str]) -> int:
    """How many of these titles some shop uses: what tells the right delimiter from the wrong ones."""
    bare = {_bare(title) for title in header}
    return len(bare & _ALL_TITLES)


def _mapped(header: Sequence[str], column_map: Mapping[str, str], where: str) -> dict[str, int]:
    chosen = {}
    for title, field in column_map.items():
        if field not in FIELDS:
            raise ValidationFailed(
                _("--map %(title)s=%(field)s: there is no such field; the fields are %(fields)s.")
                % {"title": title, "field": field, "fields": ", ".join(FIELDS)}
            )
        if title not in header:
            raise ValidationFailed(
                _("%(where)s: missing column %(title)s, which --map names (the columns are: %(header)s).")
                % {"where": where, "title": title, "header": ", ".join(header)[:300] or _("none")}
            )
        chosen[field] = list(header).index(title)
    return chosen


def _refuse_twins(header: Sequence[str], found: Mapping[str, int], chosen: Mapping[str, int], where: str) -> None:
    """Which of two columns of one name was meant cannot be guessed."""
    taken = set(chosen.values())
    for field, position in found.items():
        if field in chosen:
            twins = [i for i, title in enumerate(header) if title == header[position]]
        else:
            same = _bare(header[position])
            twins = [i for i, title in enumerate(header) if _bare(title) == same and i not in taken]
        if len(twins) > 1:
            raise ValidationFailed(
                _("%(where)s: the column %(title)s is there more than once; leave one (the columns are: %(header)s).")
                % {"where": where, "title": header[position], "header": ", ".join(header)[:300]}
            )


def _found(profile: Profile, known: Mapping[str, int], chosen: Mapping[str, int]) -> dict[str, int]:
    taken = set(chosen.values())
    found = {}
    for field, titles in profile.items():
        position = next((known[_bare(title)] for title in titles if _bare(title) in known), None)
        if position is not None and position not in taken:
            found[field] = position
    return found


def _missing(found: Mapping[str, int]) -> list[str]:
    return [f for f in REQUIRED if f not in found and not (f == "unit_price" and "line_total" in found)]


def _shown(profile: Profile, field: str) -> str:
    title = profile.get(field, (field,))[0]
    return title if title == field else f"{title} ({field})"


def _bare(title: str) -> str:
    return re.sub(r"[^a-z0-9]", "", title.lower())


_ALL_TITLES = {_bare(title) for profile in PROFILES for titles in profile.values() for title in titles}
