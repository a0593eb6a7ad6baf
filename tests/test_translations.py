"""The Chinese catalogue is whole: every message translated, placeholders kept; compiled, it speaks through Django."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.translation import trans_real

from config.supervisor.translations import compile_translations

LANGUAGE, LOCALE = "zh-hans", "zh_Hans"
PO = Path(settings.BASE_DIR, "locale", LOCALE, "LC_MESSAGES", "django.po")
# %(name)s, %(seconds).1f, %s, %d, %%, {name}, {} and HTML tags
PLACEHOLDER = re.compile(r"%\(\w+\)[-+#0-9.]*[a-z]|%[sd%]|\{\w*\}|</?[a-z][^>]*>")


def _catalogue() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale=LOCALE)


def _messages() -> list[Message]:
    return [message for message in _catalogue() if message.id]


def _forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def _placeholders(text: str) -> Counter[str]:
    return Counter(PLACEHOLDER.findall(text))


def test_the_header_names_language_charset_and_one_plural_form() -> None:
    catalogue = _catalogue()
    headers = dict(catalogue.mime_headers)

    assert headers["Language"] == LOCALE
    assert headers["Content-Type"].lower() == "text/plain; charset=utf-8"
    assert (catalogue.num_plurals, catalogue.plural_expr) == (1, "0")
    assert not catalogue.fuzzy


def test_every_message_is_translated() -> None:
    untranslated = [m.id for m in _messages() if not all(form.strip() for form in _forms(m.string))]

    assert untranslated == []


def test_no_translation_is_a_guess_or_left_over() -> None:
    assert [m.id for m in _messages() if m.fuzzy] == []
    assert list(_catalogue().obsolete) == []


def test_placeholders_and_tags_are_those_of_the_source() -> None:
    broken = [
        (m.id, form)
        for m in _messages()
        for form in _forms(m.string)
        if _placeholders(form) != _placeholders(_forms(m.id)[-1])
    ]

    assert broken == []


def test_line_breaks_at_the_ends_are_kept() -> None:
    """gettext refuses a catalogue whose message and translation do not begin and end alike."""
    ends = [
        (source[:1] == "\n", source[-1:] == "\n", form[:1] == "\n", form[-1:] == "\n")
        for m in _messages()
        for source in _forms(m.id)[-1:]
        for form in _forms(m.string)
    ]

    assert all(before[:2] == before[2:] for before in ends)


def test_plural_messages_have_one_form() -> None:
    assert {len(_forms(m.string)) for m in _messages() if m.pluralizable} == {1}


def test_compiled_it_speaks_through_django(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / LOCALE / "LC_MESSAGES" / "django.po"
    target.parent.mkdir(parents=True)
    shutil.copy(PO, target)

    assert compile_translations(tmp_path) == 1
    monkeypatch.setattr(settings, "LOCALE_PATHS", [tmp_path])
    monkeypatch.setattr(trans_real, "_translations", {})
    with translation.override(LANGUAGE):
        assert translation.gettext("Safety stock") == "安全库存"
        assert translation.gettext("Reorder point") == "再订货点"
        assert translation.gettext("%(sku)s is out of stock in %(warehouse)s.") == "%(sku)s 在 %(warehouse)s 缺货。"
        assert translation.ngettext("%d alert was acknowledged.", "%d alerts were acknowledged.", 3) % 3 == (
            "已认领 3 条告警。"
        )
