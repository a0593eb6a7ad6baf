"""A PDF as a scanner and as a reader see it: rendered at printer resolution, decoded by an independent library."""

from collections import Counter
from typing import Any

import pypdfium2
import zxingcpp


def pages(pdf: bytes, *, dpi: int = 300) -> list[Any]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=dpi / 72).to_pil() for page in document]


def decoded(pdf: bytes, *, dpi: int = 300) -> Counter[tuple[str, str]]:
    """(symbology, text) → how often, over all pages."""
    return Counter(
        (code.format.name, code.text) for image in pages(pdf, dpi=dpi) for code in zxingcpp.read_barcodes(image)
    )


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
