"""What others ask the catalogue."""

from collections.abc import Iterable

from catalog.models import Sku
from config.kernel.scanning import can_be_said_plainly


def sku_ids_by_code(codes: Iterable[str]) -> dict[str, int]:
    """Code as it stands in a file → SKU, for those there are: the very code, else trimmed and in capitals.

    Imports of sales make their SKUs in capitals, whatever the shop's export says.
    """
    given = set(codes)
    wanted = given | {_normal(code) for code in given}
    known = dict(Sku.objects.filter(code__in=wanted).values_list("code", "pk"))
    found = {code: known.get(code) or known.get(_normal(code)) for code in given}
    return {code: pk for code, pk in found.items() if pk is not None}


def _normal(code: str) -> str:
    return code.strip().upper()


def label_code(sku: Sku) -> str:
    """What the bar code on a SKU's label says: its barcode, else its code, marked `S:` if it would be misread."""
    code = sku.barcode or sku.code
    return code if can_be_said_plainly(code) else f"S:{sku.code}"
