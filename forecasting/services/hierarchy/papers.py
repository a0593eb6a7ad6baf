"""What a chunk adds to the levels above it, packed while its forecasts are still in memory: so that the end of a run
adds up some sums per chunk instead of reading every forecast again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from forecasting.models import ForecastChunk, ForecastRun
from forecasting.services.hierarchy.gathering import Gathering
from forecasting.services.packing import deflated, inflated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from forecasting.engine.hierarchy import GroupSums
    from forecasting.services.hierarchy.channels import Forecasted, Parted

SERIES_A_GROUP = 16
PAST_DAYS = 182
Cell = tuple[int | None, int]
"""(category id, warehouse id): the finest groups"""


def gathered(
    run: ForecastRun,
    pairs: Sequence[tuple[int, int]],
    result: "Forecasted",
    parted: "Parted | None",
    *,
    sold: "NDArray[np.float64]",
) -> bytes | None:
    """The chunk's sums by category × warehouse and by channel, of the numbers as they were saved, and what was sold of
    all together on each of the last days, of `sold` (n, T).

    None where groups hold fewer than 16 series on average: their sums would be larger than the forecasts, which are
    then read again at the end.
    """
    import numpy as np

    from forecasting.engine.hierarchy import to_grid

    categories = categories_of([sku for sku, _warehouse in pairs])
    keys: list[Cell] = [(categories.get(sku), warehouse) for sku, warehouse in pairs]
    if len(set(keys)) * SERIES_A_GROUP > len(pairs):
        return None
    cells: Gathering[Cell] = Gathering(run.quantile_levels)
    channels: Gathering[int] = Gathering(run.quantile_levels)
    mean, quantiles = to_grid(result.mean), _as_saved(np.round(np.swapaxes(result.quantiles, 1, 2), 4))
    cells.add(keys, mean, quantiles)
    if parted is not None:
        channels.add(parted.channels.tolist(), parted.mean, _as_saved(parted.quantiles))
        channels.add(parted.only_channels.tolist(), mean[parted.only_rows], quantiles[parted.only_rows])
    named = [(-1 if category is None else category, warehouse) for category, warehouse in cells.keys]
    arrays = _laid_out("cell", named, cells) | _laid_out("channel", list(channels.keys), channels)
    return deflated(arrays | {"sold": _days_sold(sold)})


@dataclass(frozen=True)
class AddedUp:
    """The groups of a run, and what was sold of all series on each of the last days."""

    cells: "Gathering[Cell]"
    channels: "Gathering[int]"
    sold: list[float]


def add_up_chunks(run: ForecastRun) -> AddedUp | None:
    """The groups of all chunks; None when one of them packed nothing."""
    import numpy as np

    cells: Gathering[Cell] = Gathering(run.quantile_levels)
    channels: Gathering[int] = Gathering(run.quantile_levels)
    if not run.chunks.exists() or run.chunks.filter(sums=None).exists():
        return None
    sold = np.zeros(PAST_DAYS)
    for packed in run.chunks.order_by("number").values_list("sums", flat=True).iterator(chunk_size=4):
        arrays = inflated(bytes(packed or b""))
        sold += arrays["sold"]
        if (sums := _unpacked("cell", arrays)) is not None:
            keys: list[Cell] = [(None if one < 0 else one, place) for one, place in arrays["cell_keys"].tolist()]
            cells.join(keys, arrays["cell_series"].tolist(), sums)
        if (sums := _unpacked("channel", arrays)) is not None:
            channels.join(arrays["channel_keys"].tolist(), arrays["channel_series"].tolist(), sums)
    return AddedUp(cells, channels, sold.tolist())


def forget_sums(run: ForecastRun) -> None:
    ForecastChunk.objects.filter(run=run).exclude(sums=None).update(sums=None)


def categories_of(skus: Sequence[int]) -> dict[int, int | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, p.category_id FROM catalog_sku s JOIN catalog_product p ON p.id = s.product_id "
            "WHERE s.id = ANY (%s)",
            [sorted(set(skus))],
        )
        return dict(cursor.fetchall())


def _days_sold(values: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """(182,) of all series together; 0 before the first day."""
    import numpy as np

    last = np.nan_to_num(values[:, -PAST_DAYS:]).sum(axis=0)
    return np.concatenate([np.zeros(PAST_DAYS - len(last)), last])


def _as_saved(quantiles: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """In the four bytes of their column."""
    import numpy as np

    return quantiles.astype(np.float32).astype(float)


def _laid_out(name: str, keys: list[Any], gathering: "Gathering[Any]") -> dict[str, Any]:
    """Arrays by name; of the products, which mirror themselves, one half."""
    import numpy as np

    sums = gathering.sums
    if sums is None:
        return {}
    upper = np.triu_indices(len(sums.knots))
    return {
        f"{name}_keys": np.array(keys, dtype=np.int64),
        f"{name}_series": np.array(gathering.series, dtype=np.int64),
        f"{name}_knots": sums.knots,
        f"{name}_first": sums.first,
        f"{name}_product": sums.product[..., upper[0], upper[1]],
        f"{name}_mean": sums.mean,
    }


def _unpacked(name: str, arrays: dict[str, Any]) -> "GroupSums | None":
    import numpy as np

    from forecasting.engine.hierarchy import GroupSums

    if f"{name}_keys" not in arrays:
        return None
    knots, half = arrays[f"{name}_knots"], arrays[f"{name}_product"]
    upper = np.triu_indices(len(knots))
    product = np.zeros((*half.shape[:-1], len(knots), len(knots)))
    product[..., upper[0], upper[1]] = half
    product[..., upper[1], upper[0]] = half
    return GroupSums(knots, arrays[f"{name}_first"], product, arrays[f"{name}_mean"])
