"""Purchase orders: what we asked of a supplier, what the supplier answered, and everything that happened to it."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Sku
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager
from procurement.models.planning import Proposal
from procurement.models.suppliers import Supplier, supplier_user
from warehouses.models import Warehouse


class PurchaseOrder(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        SENT = "sent", _("Sent")
        CONFIRMED = "confirmed", _("Confirmed")
        PARTIALLY_RECEIVED = "partially_received", _("Partially received")
        RECEIVED = "received", _("Received")
        CANCELLED = "cancelled", _("Cancelled")

    # On order: promised or asked, not yet here. A supplier sees an order from the moment it was sent.
    ON_ORDER = (Status.APPROVED, Status.SENT, Status.CONFIRMED, Status.PARTIALLY_RECEIVED)
    RECEIVABLE = (Status.SENT, Status.CONFIRMED, Status.PARTIALLY_RECEIVED)
    OPEN = (Status.DRAFT, *ON_ORDER)
    DONE = (Status.RECEIVED, Status.CANCELLED)

    number = models.CharField(_("number"), max_length=20, unique=True)
    supplier = models.ForeignKey(Supplier, models.PROTECT, verbose_name=_("supplier"), related_name="orders")
    warehouse = models.ForeignKey(
        Warehouse, models.PROTECT, verbose_name=_("deliver to"), related_name="purchase_orders"
    )
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.DRAFT, db_index=True)
    currency = models.CharField(_("currency"), max_length=3)
    note = models.TextField(_("note to the supplier"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("created by"), related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("approved by"), related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("purchase order"), _("purchase orders")
        ordering = ("-pk",)
        permissions = [
            ("approve_purchaseorder", "Can approve purchase orders"),
            ("send_purchaseorder", "Can send purchase orders"),
            ("cancel_purchaseorder", "Can cancel purchase orders"),
            ("respond_purchaseorder", "Can answer purchase orders as the supplier"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "warehouse"], condition=Q(status="draft"), name="purchase_order_one_draft"
            )
        ]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def supplier_rows(cls, user: Any) -> Q:
        return supplier_user("supplier", user) & Q(sent_at__isnull=False)


class PurchaseOrderLine(models.Model):
    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("state", "Open")
        ACCEPTED = "accepted", _("Accepted by the supplier")
        CHANGE_PROPOSED = "change_proposed", _("Supplier proposes a change")
        REJECTED = "rejected", _("Rejected by the supplier")

    order = models.ForeignKey(PurchaseOrder, models.CASCADE, verbose_name=_("purchase order"), related_name="lines")
    line_number = models.PositiveIntegerField(_("line"))
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="purchase_lines")
    proposal = models.OneToOneField(
        Proposal, models.PROTECT, null=True, blank=True, verbose_name=_("proposal"), related_name="order_line"
    )
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.OPEN)
    quantity = QuantityField(_("ordered"), help_text=_("In force: changes by agreement with the supplier."))
    original_quantity = QuantityField(_("first ordered"))
    unit_cost = MoneyField(_("unit cost"))
    need_by = models.DateField(_("need by"))
    promised_on = models.DateField(_("promised"), null=True, blank=True)
    received_quantity = QuantityField(_("received"), default=0)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("purchase order line"), _("purchase order lines")
        ordering = ("order", "line_number")
        constraints = [
            models.UniqueConstraint(fields=["order", "line_number"], name="purchase_order_line_once"),
            models.UniqueConstraint(fields=["order", "sku"], name="purchase_order_line_sku_once"),
            models.CheckConstraint(
                condition=Q(quantity__gte=0, original_quantity__gt=0, unit_cost__gte=0, received_quantity__gte=0),
                name="purchase_order_line_numbers_make_sense",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order.number}/{self.line_number}"

    @classmethod
    def supplier_rows(cls, user: Any) -> Q:
        return supplier_user("order__supplier", user) & Q(order__sent_at__isnull=False)

    @property
    def outstanding_quantity(self) -> Decimal:
        """Units still to come; nothing of a rejected line, never below zero."""
        if self.status == self.Status.REJECTED:
            return Decimal(0)
        return max(self.quantity - self.received_quantity, Decimal(0))

    @property
    def expected_on(self) -> Any:
        """The day the line should arrive: what the supplier promised, else what we asked."""
        return self.promised_on or self.need_by

    @property
    def value(self) -> Decimal:
        return self.quantity * self.unit_cost


# Units still to come of a line, in the database: the same rule as `outstanding_quantity`.
OUTSTANDING = models.Case(
    models.When(status="rejected", then=models.Value(Decimal(0))),
    models.When(received_quantity__gte=F("quantity"), then=models.Value(Decimal(0))),
    default=F("quantity") - F("received_quantity"),
    output_field=QuantityField(),
)


class LineResponse(models.Model):
    """One answer of the supplier to one line, and what the planner made of it. Never changed, only added to."""

    class Kind(models.TextChoices):
        ACCEPT = "accept", _("Accepts")
        CHANGE = "change", _("Proposes a change")
        REJECT = "reject", _("Rejects")

    class Decision(models.TextChoices):
        NONE_NEEDED = "none_needed", _("No decision needed")
        PENDING = "pending", _("Waiting for the planner")
        ACCEPTED = "accepted", _("Change accepted")
        DECLINED = "declined", _("Change declined")

    line = models.ForeignKey(PurchaseOrderLine, models.CASCADE, verbose_name=_("line"), related_name="responses")
    kind = models.CharField(_("answer"), max_length=8, choices=Kind.choices)
    proposed_quantity = QuantityField(_("proposed quantity"), null=True, blank=True)
    proposed_on = models.DateField(_("proposed date"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    decision = models.CharField(_("decision"), max_length=12, choices=Decision.choices)
    responded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("answered by"), related_name="+"
    )
    responded_at = models.DateTimeField(_("answered at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("decided by"), related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("supplier's answer"), _("suppliers' answers")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["line"], condition=Q(decision="pending"), name="line_response_one_pending"),
            models.CheckConstraint(
                condition=Q(proposed_quantity=None) | Q(proposed_quantity__gte=0), name="line_response_quantity"
            ),
        ]
        permissions = [("decide_lineresponse", "Can accept or decline a supplier's change")]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.get_kind_display()}"

    @classmethod
    def supplier_rows(cls, user: Any) -> Q:
        return supplier_user("line__order__supplier", user) & Q(line__order__sent_at__isnull=False)


class PurchaseOrderEvent(models.Model):
    """The order's own diary: who did what to it and when."""

    order = models.ForeignKey(PurchaseOrder, models.CASCADE, verbose_name=_("purchase order"), related_name="events")
    kind = models.CharField(_("what"), max_length=40)
    detail = models.JSONField(_("detail"), default=dict, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"))
    happened_at = models.DateTimeField(_("happened at"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("purchase order event"), _("purchase order events")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.order_id} {self.kind}"
