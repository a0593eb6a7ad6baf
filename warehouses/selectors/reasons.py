"""Why so many can be promised, as a sentence: "12 on hand, 9 reserved, 2 buffer; 40 arriving 3 Dec"."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from config.kernel.fields import plain
from warehouses.engine.promising import Fact, Promise
from warehouses.selectors.supply import Availability

SHOWN_ARRIVALS = 3


def reason(availability: Availability, *, on: date | None = None) -> str:
    """The sentence for now, or for a day: what counts for it, then what arrives after it."""
    promise = availability.promise
    if promise is None:
        return _("The kit has no parts.")
    words = _words(get_language() or "")
    counted = ", ".join(filter(None, (_fact(fact, words) for fact in promise.explanation(on))))
    arriving = ", ".join(_arrivals(promise, on or availability.as_of, words, is_now=on is None))
    sentence = "; ".join(filter(None, (counted, arriving)))
    if not availability.limiting:
        return sentence
    named = {"units": plain(availability.units), "part": availability.limiting, "why": sentence}
    said = _("%(units)s %(part)s in each: %(why)s") % named
    if availability.together is None or on is not None:
        return said
    return _("%(why)s; the parts of %(kits)s lie together") % {"why": said, "kits": plain(availability.together)}


def short_day(day: date) -> str:
    """3 Dec"""
    return _short_day(get_language() or "", day)


@lru_cache(maxsize=2000)
def _short_day(language: str, day: date) -> str:
    # Translators: how a day is written in a short sentence, in Django's date format.
    return date_format(day, pgettext("short day", "j M"))


@lru_cache(maxsize=8)
def _words(language: str) -> dict[str, str]:
    """A fact's code → its words. Read once a language: a thousand reasons would read them ten thousand times."""
    return {
        "on_hand": _("%(units)s on hand"),
        "reserved": _("%(units)s reserved"),
        "buffer": _("%(units)s buffer"),
        "safety_stock": _("%(units)s safety stock"),
        "ring_fenced": _("%(units)s kept for %(name)s"),
        "owed": _("%(units)s owed to waiting orders"),
        "owed_to_quota": _("%(units)s of it kept for %(name)s"),
        "arriving": _("%(units)s arriving %(day)s"),
        "kept_for_later": _("%(units)s needed on %(day)s"),
        "late": _("%(name)s late since %(day)s"),
    }


def _fact(fact: Fact, words: Mapping[str, str]) -> str:
    is_quota = isinstance(fact.reference, tuple)
    text = words.get("owed_to_quota" if is_quota and fact.code == "owed" else fact.code, "")
    if not text:
        return ""
    return text % {
        "units": plain(abs(fact.quantity)),
        "day": short_day(fact.on) if fact.on else "",
        "name": fact.reference[1] if isinstance(fact.reference, tuple) else fact.reference,
    }


def _arrivals(promise: Promise, after: date, words: Mapping[str, str], *, is_now: bool) -> Iterator[str]:
    coming: dict[date, Decimal] = defaultdict(Decimal)
    for supply in promise.picture.supplies:
        is_later = supply.on >= after if is_now else supply.on > after
        if is_later and not isinstance(supply.reference, tuple):
            coming[supply.on] += supply.quantity
    for day in sorted(coming)[:SHOWN_ARRIVALS]:
        yield words["arriving"] % {"units": plain(coming[day]), "day": short_day(day)}
