"""Who may write what, with bodies that would work: the refused change nothing, the allowed do what they say."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils.timezone import localdate

from forecasting.models import ForecastOverride
from procurement.models import PurchaseOrder
from tests.cast import World
from tests.procurement.buying import draft_order, make_proposal, sent_order

PEOPLE = ("planner", "clerk", "viewer", "integration", "northwind_user", "outsider_user")
LINE = {"sku": "MUG", "quantity": "2", "unit_price": "9.00"}
SALE = {"channel": "WEB", "external_id": "W-1", "ordered_at": "2026-03-02T08:00:00Z", "lines": [LINE]}
OVERRIDE = {
    "sku": "MUG",
    "kind": "factor",
    "value": "2",
    "starts_on": f"{localdate()}",
    "ends_on": f"{localdate() + timedelta(days=7)}",
    "reason": "A promotion",
}
LOST = {"sku": "MUG", "warehouse": "MAIN", "location": "A-01", "quantity": "-3", "reason": "lost"}


def everything() -> dict[str, list[Any]]:
    return {
        model._meta.label: sorted(map(str, model._default_manager.values_list()))
        for model in apps.get_models()
        if model._meta.app_label not in ("knox", "sessions")
    }


CASES: dict[str, tuple[str, str, Any, set[str]]] = {
    "an order": ("post", "orders/", SALE, {"integration"}),
    "a correction": ("post", "stock-movements/", LOST, {"clerk"}),
    "a SKU": ("post", "skus/", {"code": "POT", "name": "Pot", "product": "MUG"}, {"planner", "integration"}),
    "a price": ("patch", "skus/MUG/", {"unit_price": "1"}, {"planner", "integration"}),
    "a supplier": ("patch", "suppliers/NORTHWIND/", {"minimum_order_value": "5"}, {"planner"}),
    "a policy": ("post", "policies/", {"name": "x", "sku": "MUG"}, {"planner"}),
    "a draft": (
        "post",
        "purchase-orders/",
        {"supplier": "NORTHWIND", "warehouse": "MAIN", "lines": [{"sku": "MUG", "quantity": "10"}]},
        {"planner"},
    ),
    "a line": ("patch", "purchase-orders/{draft}/lines/1/", {"quantity": "50"}, {"planner"}),
    "a line less": ("delete", "purchase-orders/{draft}/lines/1/", None, {"planner"}),
    "an approval": ("post", "purchase-orders/{draft}/approve/", {}, {"planner"}),
    "a cancellation": ("post", "purchase-orders/{sent}/cancel/", {}, {"planner"}),
    "an answer": (
        "post",
        "purchase-orders/{sent}/respond/",
        {"answers": [{"line_id": "{line}", "kind": "accept"}]},
        {"northwind_user"},
    ),
    "a receipt": (
        "post",
        "receipts/",
        {"order": "{sent}", "lines": [{"line_id": "{line}", "quantity": "5"}]},
        {"clerk"},
    ),
    "an acceptance": ("post", "proposals/accept/", {"proposals": [{"proposal": "{proposal}"}]}, {"planner"}),
    "an override": ("post", "forecast-overrides/", OVERRIDE, {"planner"}),
    "some overrides": ("post", "forecast-overrides/batch/", {"overrides": [OVERRIDE]}, {"planner"}),
    "a withdrawal": ("post", "forecast-overrides/{override}/withdraw/", {}, {"planner"}),
    "a dismissal": ("post", "proposals/dismiss/", {"proposals": ["{proposal}"]}, {"planner"}),
}


def filled(body: Any, names: dict[str, Any]) -> Any:
    if isinstance(body, dict):
        return {key: filled(value, names) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(value, names) for value in body]
    return names.get(body[1:-1], body) if isinstance(body, str) and body.startswith("{") else body


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("who", PEOPLE)
def test_who_may_write(world: World, api: Any, who: str, case: str) -> None:
    method, path, body, allowed = CASES[case]
    sent = sent_order(world)
    draft: PurchaseOrder = draft_order(world)
    proposal = make_proposal(world, world.mug, 40)
    names = {"draft": draft.number, "sent": sent.number, "line": sent.lines.get().pk, "proposal": proposal.pk}
    override = ForecastOverride.objects.create(
        sku=world.mug,
        value=2,
        starts_on=localdate(),
        ends_on=localdate(),
        expires_on=localdate() + timedelta(days=1),
        reason="A promotion",
        author=world.planner,
    )
    names["override"] = override.pk
    before = everything()

    answer = getattr(api(getattr(world, who)), method)(f"/api/v1/{path.format(**names)}", filled(body, names))

    if who in allowed:
        assert answer.status_code in (200, 201), answer.content
        assert everything() != before
    else:
        # The outsider holds the right to answer, but not for an order of another supplier.
        assert answer.status_code == (404 if (who, case) == ("outsider_user", "an answer") else 403)
        assert everything() == before
