"""Units of a level that are held for somebody."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.fields import QuantityField
from config.kernel.policy import ScopedManager
from warehouses.models.carts import CartLine
from warehouses.models.sales import SalesOrderLine
from warehouses.models.stock import StockLevel
from warehouses.models.transfers import TransferLine


class Reservation(models.Model):
    """Units of one level held for one line of an order, a cart or a transfer; their sum is the level's `reserved`."""

    # No indexes on the line's own: the unique constraints lead with it.
    line = models.ForeignKey(
        SalesOrderLine,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("order line"),
        related_name="reservations",
        db_index=False,
    )
    cart_line = models.ForeignKey(
        CartLine,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("cart line"),
        related_name="reservations",
        db_index=False,
    )
    transfer_line = models.ForeignKey(
        TransferLine,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("transfer line"),
        related_name="reservations",
        db_index=False,
    )
    level = models.ForeignKey(StockLevel, models.PROTECT, verbose_name=_("stock level"), related_name="reservations")
    quantity = QuantityField(_("quantity"))

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("reservation"), _("reservations")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["line", "level"], name="reservation_once"),
            models.UniqueConstraint(
                fields=["cart_line", "level"], name="reservation_cart_once", condition=Q(cart_line__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["transfer_line", "level"],
                name="reservation_transfer_once",
                condition=Q(transfer_line__isnull=False),
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_positive"),
            models.CheckConstraint(
                condition=Q(line__isnull=False, cart_line=None, transfer_line=None)
                | Q(line=None, cart_line__isnull=False, transfer_line=None)
                | Q(line=None, cart_line=None, transfer_line__isnull=False),
                name="reservation_for_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} ← {self.level_id}"
