"""The classic models for very many rows at once: arrays in, arrays out, the same optimum as `models/` row by row."""

from procurement.engine.batch.solve import (
    BaseStocks,
    LotPolicies,
    Lots,
    MinMax,
    eoq,
    newsvendor_normal,
    newsvendor_poisson,
    rq_normal,
    rq_poisson,
    ss_poisson,
)

__all__ = [
    "BaseStocks",
    "LotPolicies",
    "Lots",
    "MinMax",
    "eoq",
    "newsvendor_normal",
    "newsvendor_poisson",
    "rq_normal",
    "rq_poisson",
    "ss_poisson",
]
