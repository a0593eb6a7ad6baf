"""Costs that come after the goods, balances of past moments, and what the reconciler found."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Sku
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.places import Warehouse
from warehouses.models.stock import StockMovement


class LandedCost(models.Model):
    """Freight, duty and the like, spread over the receipts they belong to."""

    class Kind(models.TextChoices):
        FREIGHT = "freight", _("Freight")
        DUTY = "duty", _("Duty")
        INSURANCE = "insurance", _("Insurance")
        HANDLING = "handling", _("Handling")
        OTHER = "other", _("Other")

    class Basis(models.TextChoices):
        VALUE = "value", _("By value")
        QUANTITY = "quantity", _("By quantity")
        WEIGHT = "weight", _("By weight")
        VOLUME = "volume", _("By volume")

    number = models.CharField(_("number"), max_length=20, unique=True)
    key = models.CharField(_("idempotency key"), max_length=255, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    basis = models.CharField(_("spread"), max_length=10, choices=Basis.choices, default=Basis.VALUE)
    amount = MoneyField(_("amount"), help_text=_("In the company's currency."))
    references = models.JSONField(_("receipts"), default=list, help_text=_("The numbers of the receipts."))
    note = models.CharField(_("note"), max_length=200, blank=True)
    happened_at = models.DateTimeField(_("happened at"))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("landed cost"), _("landed costs")
        ordering = ("-pk",)
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="landed_cost_not_zero")]

    def __str__(self) -> str:
        return self.number


class LandedCostLine(models.Model):
    """The share of one receipt's movement: part of it still in stock, the rest went with the goods that left."""

    landed_cost = models.ForeignKey(
        LandedCost, models.CASCADE, verbose_name=_("landed cost"), related_name="lines", db_index=False
    )
    movement = models.ForeignKey(StockMovement, models.PROTECT, verbose_name=_("receipt"), related_name="landed_costs")
    amount = MoneyField(_("amount"))
    capitalised = MoneyField(_("added to stock"))
    expensed = MoneyField(_("cost of goods sold"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("landed cost line"), _("landed cost lines")
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=["landed_cost", "movement"], name="landed_cost_line_once")]

    def __str__(self) -> str:
        return f"{self.landed_cost_id}/{self.movement_id}"


class BalanceSheet(models.Model):
    """Quantity and value of everything at one moment, taken so that later questions need not read the whole ledger."""

    class Clock(models.TextChoices):
        HAPPENED = "happened", _("When it happened")
        RECORDED = "recorded", _("When it was recorded")

    clock = models.CharField(_("clock"), max_length=10, choices=Clock.choices)
    as_of = models.DateTimeField(_("as of"))
    known_until = models.DateTimeField(
        _("known until"),
        help_text=_("Movements recorded before this moment are in it; later ones are added when asked."),
    )
    row_count = models.PositiveIntegerField(_("rows"), default=0)
    quantity = models.DecimalField(_("quantity"), max_digits=24, decimal_places=3, default=0)
    value = models.DecimalField(_("value"), max_digits=28, decimal_places=4, default=0)
    audited_at = models.DateTimeField(_("audited at"), null=True, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("balance sheet"), _("balance sheets")
        ordering = ("-as_of", "clock")
        constraints = [models.UniqueConstraint(fields=["clock", "as_of"], name="balance_sheet_once")]

    def __str__(self) -> str:
        return f"{self.get_clock_display()} {self.as_of:%Y-%m-%d %H:%M}"


class StockBalance(models.Model):
    sheet = models.ForeignKey(
        BalanceSheet, models.CASCADE, verbose_name=_("balance sheet"), related_name="rows", db_index=False
    )
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), db_index=False, related_name="+")
    warehouse = models.ForeignKey(
        Warehouse, models.PROTECT, verbose_name=_("warehouse"), db_index=False, related_name="+"
    )
    quantity = QuantityField(_("quantity"))
    value = MoneyField(_("value"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("stock balance"), _("stock balances")
        ordering = ("sheet", "sku", "warehouse")
        constraints = [models.UniqueConstraint(fields=["sheet", "sku", "warehouse"], name="stock_balance_once")]
        triggers = [pgtrigger.Protect(name="balances_stay", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.sku_id} @ {self.warehouse_id}"


class StockDrift(models.Model):
    """Two figures that must agree and do not: found by the reconciler, repaired by a person."""

    class Kind(models.TextChoices):
        LEVEL = "level", _("Stock level and ledger")
        RESERVED = "reserved", _("Stock level and reservations")
        LINE = "line", _("Order line and reservations")
        VALUE = "value", _("Value and layers")
        LEDGER_VALUE = "ledger_value", _("Value and ledger")
        BALANCE = "balance", _("Balance sheet and ledger")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        REPAIRED = "repaired", _("Repaired")
        GONE = "gone", _("Gone by itself")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    subject = models.CharField(_("subject"), max_length=120)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    facts = models.JSONField(_("facts"), default=dict)
    repair = models.JSONField(_("proposed repair"), default=dict)
    found_at = models.DateTimeField(_("found at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("repaired by")
    )

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("stock drift"), _("stock drifts")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], condition=Q(state="open"), name="stock_drift_open_once")
        ]
        permissions = [("repair_stockdrift", "Can apply a proposed repair")]

    def __str__(self) -> str:
        where = " · ".join(str(self.facts[name]) for name in ("sku", "location", "warehouse") if self.facts.get(name))
        return f"{self.get_kind_display()}: {where or self.subject}"


class ReconcilerMark(models.Model):
    """How far the reconciler has read: everything touched before it was compared at least once."""

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    reached = models.DateTimeField(_("reached"))

    class Meta:
        verbose_name, verbose_name_plural = _("reconciler mark"), _("reconciler marks")

    def __str__(self) -> str:
        return self.name
