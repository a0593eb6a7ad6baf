"""The level of stock, the ledger it sums up, and what it is worth. Only `warehouses.services.stock` writes here."""

from datetime import timedelta

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Sku
from config.kernel.audit import TRUNCATE_ALLOWED
from config.kernel.fields import MoneyField, QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.places import Location, Lot, Warehouse

WRITER = "entrepot.stock_writer"
"""The transaction's own setting by which the one writer of stock names itself to the database."""
LATE = timedelta(days=1)
"""A movement booked so long after it happened is found by an index of its own."""


_REFUSE = f"""
    IF coalesce(current_setting('{WRITER}', true), '') <> 'on' THEN
        RAISE EXCEPTION 'Stock is written by post_movements only (%.%)', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""


def _writer_only(name: str, operation: pgtrigger.Operation, condition: str = "") -> pgtrigger.Trigger:
    """A trigger that refuses whoever is not the one writer."""
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=operation,
        condition=pgtrigger.Condition(f"({condition})") if condition else None,
        func=_REFUSE,
    )


def _never(name: str) -> list[pgtrigger.Trigger]:
    """Rows are added and never changed, removed or truncated. The tests' own database allows the last by a setting."""
    return [
        pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{name}_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func=f"""
                IF coalesce(current_setting('{TRUNCATE_ALLOWED}', true), '') <> 'on' THEN
                    RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
                END IF;
                RETURN NULL;
            """,
        ),
    ]


class StockStatus(models.TextChoices):
    AVAILABLE = "available", pgettext_lazy("stock status", "Available")
    QUARANTINE = "quarantine", _("Quarantine")
    DAMAGED = "damaged", _("Damaged")
    BLOCKED = "blocked", _("Blocked")


class StockLevel(models.Model):
    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="levels", db_index=False)
    location = models.ForeignKey(Location, models.PROTECT, verbose_name=_("location"), related_name="levels")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, verbose_name=_("lot"), related_name="levels")
    status = models.CharField(
        _("status"), max_length=10, choices=StockStatus.choices, default=StockStatus.AVAILABLE, db_default="available"
    )
    on_hand = QuantityField(_("on hand"), default=0)
    reserved = QuantityField(_("reserved"), default=0)
    filled_at = models.DateTimeField(
        _("filled at"), null=True, blank=True, help_text=_("When the first of the units that lie here now came in.")
    )
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("stock level"), _("stock levels")
        ordering = ("sku", "location")
        constraints = [
            models.UniqueConstraint(
                fields=["sku", "location", "lot", "status"], name="stock_level_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="stock_level_on_hand_not_negative"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("on_hand")), name="stock_level_reserved_within_on_hand"
            ),
        ]
        indexes = [
            models.Index(fields=["updated_at"], name="stock_level_touched"),
            # People sort by it, and look for what is empty.
            models.Index(fields=["on_hand", "id"], name="stock_level_on_hand"),
        ]
        triggers = [
            _writer_only("level_made_empty", pgtrigger.Insert, "NEW.on_hand <> 0 OR NEW.reserved <> 0"),
            _writer_only(
                "level_one_writer",
                pgtrigger.Update,
                "(OLD.on_hand, OLD.reserved, OLD.sku_id, OLD.location_id, OLD.lot_id, OLD.status) IS DISTINCT FROM "
                "(NEW.on_hand, NEW.reserved, NEW.sku_id, NEW.location_id, NEW.lot_id, NEW.status)",
            ),
            _writer_only("level_removed_empty", pgtrigger.Delete, "OLD.on_hand <> 0 OR OLD.reserved <> 0"),
        ]

    def __str__(self) -> str:
        return f"{self.sku.code} @ {self.location}"


class StockMovement(models.Model):
    class Kind(models.TextChoices):
        OPENING = "opening", _("Opening stock")
        RECEIPT = "receipt", _("Receipt")
        SALE = "sale", _("Sale")
        RETURN = "return", _("Return")
        ADJUSTMENT = "adjustment", _("Adjustment")
        COUNT = "count", _("Count")
        SCRAP = "scrap", _("Scrap")
        TRANSFER_OUT = "transfer_out", _("Transfer out")
        TRANSFER_IN = "transfer_in", _("Transfer in")
        MOVE = "move", _("Move")
        ASSEMBLY = "assembly", _("Kit assembly")
        REVALUATION = "revaluation", _("Revaluation")

    # Within one warehouse: value neither comes nor goes.
    VALUELESS = (Kind.MOVE,)

    # No indexes of their own: the history index leads with the SKU, and whoever acts is looked up through documents.
    # No foreign keys of their own either: the level that a posting locks has the same SKU, location and lot, and the
    # database checks them there, once. Every one of them here would cost a tenth of a posting.
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    sku = models.ForeignKey(
        Sku, models.PROTECT, verbose_name=_("SKU"), related_name="movements", db_index=False, db_constraint=False
    )
    location = models.ForeignKey(
        Location, models.PROTECT, verbose_name=_("location"), related_name="movements", db_constraint=False
    )
    lot = models.ForeignKey(
        Lot,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("lot"),
        related_name="movements",
        db_index=False,
        db_constraint=False,
    )
    status = models.CharField(
        _("status"), max_length=10, choices=StockStatus.choices, default=StockStatus.AVAILABLE, db_default="available"
    )
    quantity = QuantityField(_("quantity"), help_text=_("Signed: what comes in is positive."))
    unit_cost = MoneyField(_("unit cost"), null=True, blank=True)
    value = MoneyField(
        _("value"), default=0, db_default=0, help_text=_("Signed: what the stock is worth more after it.")
    )
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=120)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("actor"), db_index=False
    )
    happened_at = models.DateTimeField(_("happened at"))
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("stock movement"), _("stock movements")
        ordering = ("-pk",)
        constraints = [
            # Not `unique=True` and `db_index=True` on the fields: each would bring a second index for LIKE.
            models.UniqueConstraint(fields=["idempotency_key"], name="stock_movement_idempotency_key_once"),
            models.CheckConstraint(condition=~Q(quantity=0) | Q(kind="revaluation"), name="stock_movement_not_zero"),
        ]
        indexes = [
            models.Index(fields=["reference"], name="stock_movement_reference"),
            models.Index(fields=["sku", "location", "happened_at"], name="stock_movement_history"),
            models.Index(fields=["lot"], name="stock_movement_lot", condition=Q(lot__isnull=False)),
            models.Index(fields=["happened_at"], name="stock_movement_happened"),
            BrinIndex(fields=["recorded_at"], name="stock_movement_recorded", autosummarize=True, pages_per_range=32),
            # What was booked long after it happened: the few rows that a balance of an earlier day has to add.
            models.Index(
                fields=["recorded_at"],
                name="stock_movement_late",
                condition=Q(GreaterThan(F("recorded_at") - F("happened_at"), Value(LATE))),
            ),
        ]
        triggers = [*_never("append_only"), _writer_only("movement_one_writer", pgtrigger.Insert)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.quantity:+f} {self.sku.code}"


class StockValue(models.Model):
    """What all units of a SKU in a warehouse are worth: the sum of its open layers, and the lock that guards them."""

    sku = models.ForeignKey(Sku, models.PROTECT, verbose_name=_("SKU"), related_name="values", db_index=False)
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, verbose_name=_("warehouse"), related_name="values")
    quantity = QuantityField(_("quantity"), default=0)
    value = MoneyField(_("value"), default=0)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("stock value"), _("stock values")
        ordering = ("sku", "warehouse")
        constraints = [
            models.UniqueConstraint(fields=["sku", "warehouse"], name="stock_value_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0, value__gte=0), name="stock_value_not_negative"),
            models.CheckConstraint(condition=Q(quantity__gt=0) | Q(value=0), name="stock_value_of_nothing_is_zero"),
        ]
        triggers = [
            _writer_only("value_one_writer", pgtrigger.Update),
            _writer_only("value_made_empty", pgtrigger.Insert, "NEW.quantity <> 0 OR NEW.value <> 0"),
            _writer_only("value_removed_empty", pgtrigger.Delete, "OLD.quantity <> 0 OR OLD.value <> 0"),
        ]

    def __str__(self) -> str:
        return f"{self.sku_id} @ {self.warehouse_id}"


class CostLayer(models.Model):
    """Units that came in together at one cost and are not all gone (FIFO), or the one pool of a SKU (AVCO)."""

    sku = models.ForeignKey(
        Sku, models.PROTECT, verbose_name=_("SKU"), related_name="layers", db_index=False, db_constraint=False
    )
    warehouse = models.ForeignKey(
        Warehouse,
        models.PROTECT,
        verbose_name=_("warehouse"),
        related_name="layers",
        db_index=False,
        db_constraint=False,
    )
    movement = models.ForeignKey(
        StockMovement, models.PROTECT, verbose_name=_("movement"), related_name="layers", null=True, db_constraint=False
    )
    received_at = models.DateTimeField(_("received at"))
    quantity = QuantityField(_("quantity received"))
    remaining = QuantityField(_("remaining"))
    value = MoneyField(_("value"), help_text=_("Of the units that remain."))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("cost layer"), _("cost layers")
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(condition=Q(remaining__gte=0, value__gte=0), name="cost_layer_not_negative"),
            models.CheckConstraint(condition=Q(remaining__gt=0) | Q(value=0), name="cost_layer_of_nothing_is_zero"),
        ]
        indexes = [
            models.Index(
                fields=["sku", "warehouse", "received_at", "id"],
                name="cost_layer_open",
                condition=Q(remaining__gt=0),
            )
        ]
        triggers = [_writer_only("layer_one_writer", pgtrigger.Update | pgtrigger.Insert | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.quantity} @ {self.warehouse_id}"


class AvailabilityChange(models.Model):
    """A SKU whose stock or promises changed: written with the change, deleted by who tells the channels."""

    sku_id = models.BigIntegerField(_("SKU"))
    changed_at = models.DateTimeField(_("changed at"), auto_now_add=True, db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _("availability change"), _("availability changes")

    def __str__(self) -> str:
        return str(self.sku_id)
