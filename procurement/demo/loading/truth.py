"""What customers truly wanted, kept in files beside the database, so that the plan can be judged against it later."""

from datetime import date
from pathlib import Path

import numpy as np

from procurement.demo.world import DemoWorld

TRUE_DEMAND, FUTURE_DEMAND = "true_demand.parquet", "future_demand.parquet"


def write_truth(world: DemoWorld, folder: Path) -> int:
    """Two Parquet files, one row for each SKU, channel, warehouse and day with demand; the rows of the first.

    `true_demand` (the history): true_demand, served, lost = true − served. `future_demand` (the days after it):
    true_demand. Days are the channel's local days.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = _write(
        folder / TRUE_DEMAND,
        world,
        first_day=world.start_day,
        cubes={"true_demand": world.true_demand, "served": world.served_demand, "lost": world.lost_demand},
    )
    first = np.datetime64(world.end_day, "D") + 1
    _write(folder / FUTURE_DEMAND, world, first_day=first.item(), cubes={"true_demand": world.future_demand})
    return rows


def _write(path: Path, world: DemoWorld, *, first_day: date, cubes: dict[str, np.ndarray]) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    places = np.nonzero(cubes["true_demand"])
    names = {
        "sku": [row.code for row in world.skus],
        "channel": [row.code for row in world.channels],
        "warehouse": [row.code for row in world.warehouses],
    }
    columns = {
        name: pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int32)), pa.array(codes))
        for (name, codes), place in zip(names.items(), places[:3], strict=True)
    }
    columns["day"] = pa.array(np.datetime64(first_day, "D") + places[3])
    columns |= {name: pa.array(cube[places].astype(np.int32)) for name, cube in cubes.items()}
    temporary = path.with_suffix(".part")
    parquet.write_table(pa.table(columns), temporary, compression="zstd")
    temporary.replace(path)
    return len(places[0])
