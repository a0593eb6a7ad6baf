"""From a scanned text to the row it means. The apps register readers; the first that knows the text answers.

A text is read as, in this order: a mark and what follows it (`L:MAIN/A-01`), GS1 elements, a document's number
(`SH-000012`), a plain code (a SKU's code or barcode, an order's number). A reader that finds two rows answers None:
people then search, a scan never guesses.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from django.apps import apps
from django.urls import reverse

from config.kernel.scanning.cleaning import Scan, cleaned
from config.kernel.scanning.gs1 import elements_of


@dataclass(frozen=True, slots=True)
class Scanned:
    """The row a code means: what it is called in the API, its model, its key, and the codes it goes by."""

    type: str
    model: str  # "warehouses.location"
    pk: int
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def permission(self) -> str:
        app, name = self.model.split(".")
        return f"{app}.view_{name}"

    @property
    def url_name(self) -> str:
        return f"admin:{self.model.replace('.', '_')}_change"

    @property
    def url(self) -> str:
        return reverse(self.url_name, args=[self.pk])

    def is_for(self, actor: Any) -> bool:
        """Whether this person may look at the row."""
        if not actor.has_perm(self.permission):
            return False
        manager: Any = apps.get_model(self.model)._default_manager
        return bool(manager.for_actor(actor).filter(pk=self.pk).exists())


Reader = Callable[[str], Scanned | None]
Gs1Reader = Callable[[Mapping[str, str], date], Scanned | None]

_MARKS: dict[str, tuple[str, Reader]] = {}
_NUMBERS: dict[str, tuple[str, Reader]] = {}
_PLAIN: list[tuple[int, str, Reader]] = []
_GS1: list[Gs1Reader] = []
_MOST_SLASHES = 12


def reads_mark(mark: str, model: str) -> Callable[[Reader], Reader]:
    """Register the reader of what follows `mark` and a colon; a mark has one owner."""

    def add(reader: Reader) -> Reader:
        _claim(_MARKS, mark, model, reader)
        return reader

    return add


def numbered(start: str, model: str, *, type: str, column: str = "number") -> None:
    """Register documents with a number of their own: everything that begins with `start` ("SH-") is looked up there."""

    def reader(text: str) -> Scanned | None:
        manager: Any = apps.get_model(model)._default_manager
        number = text.upper()
        row = manager.filter(**{column: number}).only("pk").first()
        return Scanned(type, model, row.pk, {"number": number}) if row else None

    _claim(_NUMBERS, start.upper(), model, reader)


def plain_reader(model: str, *, order: int) -> Callable[[Reader], Reader]:
    """Register a reader of texts without a mark; lower orders are asked first."""

    def add(reader: Reader) -> Reader:
        _PLAIN.append((order, model, reader))
        _PLAIN.sort(key=lambda entry: entry[:2])
        return reader

    return add


def reads_gs1(reader: Gs1Reader) -> Gs1Reader:
    _GS1.append(reader)
    return reader


def _claim(owners: dict[str, tuple[str, Reader]], key: str, model: str, reader: Reader) -> None:
    if key in owners and owners[key][0] != model:
        raise ValueError(f"{key} is read as {owners[key][0]} already")
    owners[key] = (model, reader)


def found(typed: str, *, actor: Any, today: date, only: str | None = None) -> Scanned | None:
    """The row a scanned or typed text means exactly, if the actor may see it; `only` asks about rows of one model."""
    scan = cleaned(typed)
    if not scan.text:
        return None
    return next((hit for hit in _hits(scan, today, only) if hit.is_for(actor)), None)


def _hits(scan: Scan, today: date, only: str | None) -> Iterator[Scanned]:
    for model, read in _readers(scan, today):
        if only is None or model in (None, only):
            hit = read(scan.text)
            if hit is not None and only in (None, hit.model):
                yield hit


def _readers(scan: Scan, today: date) -> Iterator[tuple[str | None, Reader]]:
    """Who may know the text, with the model they answer with; a GS1 reader may answer with several."""
    mark, colon, rest = scan.text.partition(":")
    if colon and mark.upper() in _MARKS:
        model, marked = _MARKS[mark.upper()]
        yield model, lambda _text: marked(rest)
    elements = elements_of(scan)
    if elements:
        yield from ((None, partial(_gs1_reader, gs1, elements, today)) for gs1 in _GS1)
    yield from (entry for start, entry in _NUMBERS.items() if scan.text.upper().startswith(start))
    yield from ((model, reader) for _order, model, reader in _PLAIN)


def _gs1_reader(gs1: Gs1Reader, elements: Mapping[str, str], today: date, _text: str) -> Scanned | None:
    return gs1(elements, today)


def is_unmistakable(typed: str) -> bool:
    """Whether a text can only have been scanned, or typed as a code: marked, identified by the scanner, or GS1."""
    scan = cleaned(typed)
    mark, colon, rest = scan.text.partition(":")
    return bool(scan.symbology or (colon and rest and mark.upper() in _MARKS) or elements_of(scan))


def can_be_said_plainly(code: str) -> bool:
    """Whether a label may carry this code as it is; otherwise a scan would read something else out of it."""
    scan = cleaned(code)
    is_number = any(code.upper().startswith(start) for start in _NUMBERS)
    mark, colon, _rest = code.partition(":")
    return scan == Scan(code) and not is_number and not (colon and mark.upper() in _MARKS) and not elements_of(scan)


def pair_splits(text: str) -> list[tuple[str, str]]:
    """Both halves of "this/that" at every slash, as codes may hold slashes themselves.

    >>> pair_splits("A/B/C")
    [('A', 'B/C'), ('A/B', 'C')]
    """
    slashes = [place for place, letter in enumerate(text) if letter == "/"][:_MOST_SLASHES]
    return [(text[:place], text[place + 1 :]) for place in slashes if text[:place] and text[place + 1 :]]


def scanned_models() -> list[str]:
    """Every model some code leads to, those of plain codes first: where a search goes on when nothing fits exactly."""
    plain = [model for _order, model, _reader in _PLAIN]
    others = [model for model, _reader in (*_MARKS.values(), *_NUMBERS.values())]
    return list(dict.fromkeys([*plain, *others]))
