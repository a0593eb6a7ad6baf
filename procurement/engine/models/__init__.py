"""The textbook models of `optimize`, one small file per family; `MODELS` is the one register of them, by name."""

from procurement.engine.models import (
    eoq,
    eoq_discounts,
    loss,
    newsvendor_continuous,
    newsvendor_discrete,
    newsvendor_normal,
    order_up_to,
    rq_normal,
    rq_poisson,
    ss,
    supply_uncertainty,
    wagner_whitin,
)
from procurement.engine.models.model import Model

_FAMILIES = (
    eoq,
    eoq_discounts,
    newsvendor_normal,
    newsvendor_discrete,
    newsvendor_continuous,
    loss,
    rq_normal,
    rq_poisson,
    ss,
    wagner_whitin,
    supply_uncertainty,
    order_up_to,
)
MODELS: dict[str, Model] = {model.name: model for family in _FAMILIES for model in family.MODELS}
