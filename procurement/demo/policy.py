"""The demo company's old way of ordering: moving averages, a half-remembered season and a normal safety factor."""

from dataclasses import dataclass

import numpy as np

from procurement.demo.demand import Season, SkuTraits
from procurement.demo.partners import WAREHOUSES

MEMORY_DAYS = 42
LESSON_DAYS = 140  # this long before the end the company, tired of stock-outs, raised its safety stocks
SEASON_TRUST = 0.85  # the planner follows the remembered season only in part


@dataclass(frozen=True, slots=True)
class Levels:
    """Reorder point and order-up-to level in units, for the stock keys asked about."""

    reorder_point: np.ndarray
    order_up_to: np.ndarray


class DemandMemory:
    """Exponentially smoothed mean and variance of daily sales per stock key, blind on days without stock."""

    def __init__(self, *, traits: SkuTraits, season: Season, lesson_day: int) -> None:
        per_key = (traits.route * (traits.lines_per_day[:, None] * traits.mix)[:, :, None]).swapaxes(1, 2)
        mean_units = traits.units_per_line[:, None, :]
        self.mean = (per_key * mean_units).sum(axis=2).ravel() * season.factor[:, 0].repeat(len(WAREHOUSES))
        self.variance = (per_key * mean_units**2 * 1.8).sum(axis=2).ravel() + 1e-4
        self.lesson_day = lesson_day
        total = np.cumsum(season.factor, axis=1)
        self._season = np.concatenate([np.zeros((len(total), 1)), total], axis=1)

    def learn(self, sold: np.ndarray, in_stock: np.ndarray) -> None:
        gap = sold - self.mean
        self.mean = np.where(in_stock, self.mean + gap / MEMORY_DAYS, self.mean)
        self.variance = np.where(in_stock, self.variance + (gap**2 - self.variance) / (2 * MEMORY_DAYS), self.variance)

    def levels(
        self, keys: np.ndarray, *, day: int, protection_days: np.ndarray, lead_time_sd: np.ndarray, rank: np.ndarray
    ) -> Levels:
        """s = m·P·f + z·√(P·v + m²·σ_L²), S = s + m·f·cover; `rank` 0 … 1 from the slowest SKU to the fastest."""
        sku = keys // len(WAREHOUSES)
        last = self._season.shape[1] - 1
        ahead = np.minimum(day + protection_days + 1, last)
        back = max(day - MEMORY_DAYS, 0)
        future = (self._season[sku, ahead] - self._season[sku, day + 1]) / np.maximum(ahead - day - 1, 1)
        past = (self._season[sku, day + 1] - self._season[sku, back]) / (day + 1 - back)
        factor = np.clip((future / np.maximum(past, 0.02)) ** SEASON_TRUST, 0.35, 4.0)
        mean = self.mean[keys] * factor
        spread = np.sqrt(protection_days * self.variance[keys] * factor + (mean * lead_time_sd) ** 2)
        z = np.where(day < self.lesson_day, -0.15 + 0.6 * rank, 1.7 + 0.4 * rank)
        reorder_point = np.maximum(np.ceil(mean * protection_days + z * spread), 1)
        cover_days = 62 - 32 * rank
        return Levels(reorder_point, reorder_point + np.maximum(np.ceil(mean * cover_days), 1))
