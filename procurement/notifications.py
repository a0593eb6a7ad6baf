"""Mails to suppliers. They leave after the commit, and none of them can undo what was committed."""

import logging
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from procurement.models import PurchaseOrder, PurchaseOrderEvent

log = logging.getLogger(__name__)
TIMEOUT_SECONDS = 10


def mail_supplier_on_commit(order: PurchaseOrder, kind: str, *, now: datetime) -> None:
    """Mail the order's supplier once the transaction commits; `kind`: order_sent, order_moved or order_cancelled."""
    order_id = order.pk

    def send() -> None:  # a function: what a partial raises, Django cannot log, for it has no name
        mail_supplier(order_id, kind, now=now)

    transaction.on_commit(send, robust=True)


def mail_supplier(order_id: int, kind: str, *, now: datetime) -> bool:
    """Mail the supplier about an order; the outcome goes into its events. True when the mail was handed over."""
    order = PurchaseOrder.objects.select_related("supplier", "warehouse").get(pk=order_id)
    address = order.supplier.email
    if not address:
        _note(order, "mail_skipped", now, mail=kind, why="The supplier has no e-mail address.")
        return False
    try:
        with translation.override(settings.LANGUAGE_CODE):
            _message(order, kind, address).send()
    except Exception as exc:
        log.exception("mail %s about %s to its supplier failed", kind, order.number)
        _note(order, "mail_failed", now, mail=kind, to=address, why=type(exc).__name__)
        return False
    _note(order, "mail_sent", now, mail=kind, to=address)
    return True


def _message(order: PurchaseOrder, kind: str, address: str) -> EmailMessage:
    subjects = {
        "order_sent": _("Purchase order %(order)s"),
        "order_moved": _("Purchase order %(order)s: other days"),
        "order_cancelled": _("Purchase order %(order)s is cancelled"),
    }
    base = settings.PUBLIC_URL.rstrip("/")
    context = {
        "order": order,
        "lines": order.lines.select_related("sku").order_by("line_number"),
        "link": base + reverse("portal:order", args=[order.number]),
    }
    return EmailMessage(
        subject=subjects[kind] % {"order": order.number},
        body=render_to_string(f"portal/mail/{kind}.txt", context),
        to=[address],
        connection=get_connection(timeout=TIMEOUT_SECONDS),
    )


def _note(order: PurchaseOrder, kind: str, now: datetime, **detail: str) -> None:
    PurchaseOrderEvent.objects.create(order=order, kind=kind, detail=detail, happened_at=now)
