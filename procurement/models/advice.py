"""What the plan advises besides buying: move an order's date, move stock, get rid of stock."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Sku
from config.kernel.fields import MoneyField, QuantityField, ShareField, plain
from config.kernel.policy import ScopedManager
from forecasting.models import ForecastRun
from procurement.models.orders import PurchaseOrderLine
from procurement.models.suppliers import Supplier
from warehouses.models import Warehouse


class Advice(models.Model):
    """What every advice has: its state, who decided, and every number behind it."""

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("state", "Open")
        ACCEPTED = "accepted", _("Accepted")
        DISMISSED = "dismissed", _("Dismissed")
        SUPERSEDED = "superseded", _("Superseded")

    run = models.ForeignKey(ForecastRun, models.PROTECT, verbose_name=_("run"), related_name="+")
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.OPEN, db_index=True)
    explanation = models.JSONField(_("explanation"), default=list, help_text=_("Every number, term by term."))
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("decided by"), related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decision_note = models.CharField(_("note"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        abstract = True
        ordering = ("-pk",)


class ActionMessage(Advice):
    """A line on order should come sooner, later or not at all; said once while it stays true."""

    class Kind(models.TextChoices):
        EXPEDITE = "expedite", _("Expedite")
        DEFER = "defer", _("Defer")
        CANCEL = "cancel", _("Cancel")

    line = models.ForeignKey(
        PurchaseOrderLine, models.CASCADE, verbose_name=_("order line"), related_name="action_messages"
    )
    kind = models.CharField(_("action"), max_length=10, choices=Kind.choices)
    from_date = models.DateField(_("expected"))
    to_date = models.DateField(_("needed"), null=True, blank=True)
    quantity = QuantityField(_("units"))
    value = MoneyField(_("worth"), default=0, help_text=_("Cost avoided, in the order's currency."))

    class Meta(Advice.Meta):
        verbose_name, verbose_name_plural = _("action message"), _("action messages")
        permissions = [("decide_actionmessage", "Can accept and dismiss action messages")]
        constraints = [
            models.UniqueConstraint(fields=["line"], condition=Q(status="open"), name="action_message_one_open"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="action_message_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.line}"


class TransferProposal(Advice):
    """Stock that would do more good in another warehouse."""

    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="transfer_proposals")
    source = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("from"), related_name="+")
    target = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("to"), related_name="+")
    quantity = QuantityField(_("proposed quantity"))
    accepted_quantity = QuantityField(_("accepted quantity"), null=True, blank=True)
    cost = MoneyField(_("cost of moving"), default=0)
    saving = MoneyField(_("saves"), default=0, help_text=_("Expected, after the cost of moving; company's currency."))
    shortage_avoided = models.FloatField(_("shortage avoided (units)"), default=0)
    transfer_id = models.BigIntegerField(_("transfer"), null=True, blank=True)

    class Meta(Advice.Meta):
        verbose_name, verbose_name_plural = _("transfer proposal"), _("transfer proposals")
        permissions = [("decide_transferproposal", "Can accept and dismiss transfer proposals")]
        constraints = [
            models.UniqueConstraint(
                fields=["sku", "source", "target"], condition=Q(status="open"), name="transfer_proposal_one_open"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="transfer_proposal_quantity_positive"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="transfer_proposal_two_places"),
        ]

    def __str__(self) -> str:
        return f"{self.sku.code} {self.source.code} → {self.target.code}: {plain(self.quantity)}"


class ClearanceProposal(Advice):
    """Stock that will not sell in time or at all, and the way out that brings most back."""

    class WayOut(models.TextChoices):
        MARKDOWN = "markdown", _("Mark down")
        TRANSFER = "transfer", _("Transfer")
        RETURN = "return", _("Return to the supplier")
        WRITE_OFF = "write_off", _("Write off")
        KEEP = "keep", _("Keep")

    class Cause(models.TextChoices):
        OVERSTOCK = "overstock", _("Overstock")
        EXPIRY = "expiry", _("Expiry")
        END_OF_LIFE = "end_of_life", _("End of life")

    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="clearance_proposals")
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("warehouse"), related_name="+")
    cause = models.CharField(_("cause"), max_length=12, choices=Cause.choices)
    way_out = models.CharField(_("way out"), max_length=12, choices=WayOut.choices)
    quantity = QuantityField(_("excess units"))
    discount = ShareField(_("discount"), null=True, blank=True, help_text=_("Share off the list price."))
    target = models.ForeignKey(
        Warehouse, models.PROTECT, null=True, blank=True, verbose_name=_("to warehouse"), related_name="+"
    )
    supplier = models.ForeignKey(Supplier, models.PROTECT, null=True, blank=True, verbose_name=_("supplier"))
    expires_on = models.DateField(_("expires on"), null=True, blank=True)
    value_at_risk = MoneyField(_("value at risk"), help_text=_("At cost, in the company's currency."))
    expected_recovery = MoneyField(_("expected recovery"))
    recovery_if_kept = MoneyField(_("recovery if kept"))
    sell_through_days = models.FloatField(_("sold after (days)"), null=True, blank=True)
    alternatives = models.JSONField(_("ways out compared"), default=list, blank=True)

    class Meta(Advice.Meta):
        verbose_name, verbose_name_plural = _("clearance proposal"), _("clearance proposals")
        permissions = [("decide_clearanceproposal", "Can accept and dismiss clearance proposals")]
        constraints = [
            models.UniqueConstraint(
                fields=["sku", "warehouse", "cause"], condition=Q(status="open"), name="clearance_proposal_one_open"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="clearance_proposal_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.sku.code} · {self.warehouse.code}: {self.get_way_out_display()}"
