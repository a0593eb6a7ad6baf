"""Compiles the translators' .po files to the .mo files that Django reads, where these are missing or older."""

from pathlib import Path


def compile_translations(locale_dir: Path) -> int:
    """The number of files written."""
    stale = [po for po in sorted(locale_dir.glob("*/LC_MESSAGES/*.po")) if _is_stale(po)]
    for po in stale:
        _compile(po)
    return len(stale)


def _is_stale(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime


def _compile(po: Path) -> None:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    draft = po.with_suffix(".mo.new")
    with po.open("rb") as source, draft.open("wb") as target:
        write_mo(target, read_po(source, locale=po.parts[-3]))
    draft.replace(po.with_suffix(".mo"))
