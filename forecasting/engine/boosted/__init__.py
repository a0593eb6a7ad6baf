"""Gradient-boosted trees over the whole panel: means of step blocks, quantiles of steps and of window sums.

Every target is divided by the pooled method's mean, so that one model serves series of any size; every prediction is
bounded, calibrated on held-out origins and competes with the simple methods in the same backtest.
"""

from __future__ import annotations

LEAST_SERIES = 50
LEAST_CASES = 2_000
ANCHORS = (0.5, 0.8, 0.9, 0.95, 0.99)
