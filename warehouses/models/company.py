"""The one row of rules that hold for the whole company: how stock is valued, and how short stock is shared out."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.fields import MoneyField
from config.kernel.policy import ScopedManager


class StockRules(models.Model):
    """Made by the migration; there is never a second one."""

    class Valuation(models.TextChoices):
        FIFO = "fifo", _("FIFO layers")
        AVCO = "avco", _("Moving average")

    class Rationing(models.TextChoices):
        PRIORITY = "priority", _("By the channels' priority, then the oldest order")
        FAIR_SHARE = "fair_share", _("A fair share for everybody who waits")

    valuation = models.CharField(
        _("valuation"),
        max_length=4,
        choices=Valuation.choices,
        default=Valuation.FIFO,
        help_text=_("Changed by its own button: the layers are brought together, no value is lost."),
    )
    rationing = models.CharField(
        _("when stock is short"), max_length=10, choices=Rationing.choices, default=Rationing.PRIORITY
    )
    split_penalty = MoneyField(
        _("cost of one more parcel"),
        default=2,
        help_text=_("Added to the shipping cost for every parcel after the first, when an order is shared out."),
    )
    cart_minutes = models.PositiveSmallIntegerField(_("a cart holds stock for (minutes)"), default=15)

    objects = ScopedManager()

    class Meta:
        verbose_name, verbose_name_plural = _("stock rules"), _("stock rules")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="stock_rules_once")]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
