"""Real demand and real lead times of the mission's number: two half years of Online Retail II, vendors of SCMS.

Items: up to `most` SKUs sold first at least 100 days before the half year, on at least 25 days of the last year and in
its last 60 days; chosen by a hash of the code, never by what they sold afterwards. Lead times: one per purchase order
and shipment, of the vendors with at least 20; a random half of each vendor's orders is what the planner has learned
from, the other half is what the replay draws from. `scaled` shrinks all by one factor to a mean of 14 days.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("EVAL_DATA", ROOT.parent / "shared" / "data")).resolve()
BEGIN = {"design": "2010-12-10", "unseen": "2011-06-10"}
DAYS, REVIEW, MEAN_LEAD = 182, 7, 14.0
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Half:
    """One half year: what was known before it (`history`, days × items) and what was asked in it (`demand`)."""

    name: str
    ids: list[str]
    days: pd.DatetimeIndex
    sales: Array  # (items, all days from 2009-12-01 to the end of the half year)
    first: Array  # (items,) index of the first sale
    start: int  # index of the first replayed day
    price: Array  # (items,) mean price paid before the half year
    cost: Array  # (items,) unit cost: 60 % of the price
    step: int = 28  # days between two forecasts

    @property
    def demand(self) -> Array:
        return self.sales[:, self.start :]

    @property
    def cutoffs(self) -> list[int]:
        """Index of the last known day of each forecast."""
        return [self.start - 1 + step for step in range(0, DAYS, self.step)]


def stable_hash(text: str) -> int:
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16)


def load_half(name: str, most: int = 1000, step: int = 28) -> Half:
    """Read one half year; the last six months are never read for `design`."""
    begin = pd.Timestamp(BEGIN[name])
    end = begin + pd.Timedelta(days=DAYS - 1)
    rows = pd.read_parquet(DATA / "online_retail_ii" / "daily_sku_channel.parquet")
    rows = rows[rows.date <= end].groupby(["stock_code", "date"])[["units", "revenue"]].sum().reset_index()
    before = rows[rows.date < begin]
    code = before.groupby("stock_code").date
    year = before[before.date >= begin - pd.Timedelta(days=365)].groupby("stock_code").size()
    known = (code.min() <= begin - pd.Timedelta(days=100)) & (code.max() >= begin - pd.Timedelta(days=60))
    known &= year.reindex(known.index).fillna(0) >= 25
    ids = sorted(sorted(known.index[known], key=stable_hash)[:most])
    days = pd.date_range("2009-12-01", end)
    table = rows[rows.stock_code.isin(ids)].pivot(index="stock_code", columns="date", values="units")
    sales = table.reindex(index=ids, columns=days).fillna(0).to_numpy(float)
    sums = before.groupby("stock_code")[["units", "revenue"]].sum().reindex(ids)
    price = (sums.revenue / sums.units).to_numpy(float)
    first, start = (sales > 0).argmax(1), int((days < begin).sum())
    return Half(name, ids, days, sales, first, start, price, 0.6 * price, step)


def write_train(half: Half, cutoff: int, file: Path) -> None:
    """The long panel up to a cutoff: a row a day from the first sale on."""
    known = np.arange(cutoff + 1)[None, :] >= half.first[:, None]
    item, day = np.nonzero(known)
    frame = pd.DataFrame({"unique_id": np.array(half.ids, object)[item], "ds": half.days[day]})
    frame["y"] = half.sales[item, day]
    frame.to_parquet(file, index=False)


@dataclass(frozen=True)
class LeadTimes:
    """Whole days: `learned` (items, J) is what the planner has seen, `drawn` (items, orders) what the replay takes."""

    learned: Array
    drawn: Array
    vendor: Array


def load_lead_times(items: int, *, scaled: bool, seed: int = 7, orders: int = 64, samples: int = 200) -> LeadTimes:
    rows = pd.read_parquet(DATA / "scms_deliveries" / "lead_times.parquet")
    rows = rows[rows.lead_days > 0].drop_duplicates(["po", "vendor", "delivered"])
    rows = rows[rows.groupby("vendor").po.transform("size") >= 20]
    factor = MEAN_LEAD / rows.lead_days.mean() if scaled else 1.0
    random = np.random.default_rng(seed)
    names = sorted(rows.vendor.unique())
    share = rows.vendor.value_counts(normalize=True).reindex(names).to_numpy()
    vendor = random.choice(len(names), size=items, p=share)
    learned, drawn = np.zeros((items, samples)), np.zeros((items, orders))
    for place, name in enumerate(names):
        days = np.maximum(1.0, np.round(rows[rows.vendor == name].lead_days.to_numpy(float) * factor))
        days = random.permutation(days)
        seen, unseen = days[::2], days[1::2]
        for item in np.flatnonzero(vendor == place):
            learned[item] = np.sort(random.choice(seen, samples))
            drawn[item] = random.choice(unseen, orders)
    return LeadTimes(learned, drawn, vendor)


def fixed_lead_times(items: int, days: float = MEAN_LEAD) -> LeadTimes:
    return LeadTimes(np.full((items, 200), days), np.full((items, 64), days), np.zeros(items, int))
