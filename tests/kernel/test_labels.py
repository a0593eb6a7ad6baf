"""Labels, decoded from the rendered PDF by zxing: what they say, what fits, and what is refused."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.graphics.barcode import code128

from config.kernel.errors import ValidationFailed
from config.kernel.labels import LAYOUTS, Label, label_sheet
from config.kernel.labels.sheet import plan_of
from config.kernel.labels.symbols import NARROWEST, bar_runs, module_width, modules_of
from config.kernel.labels.writing import PLAIN, in_lines, printable, shortened, text_width
from tests.kernel.pdf_pages import decoded, pages, text_of

A4, WIDE, ROLL, SMALL = (LAYOUTS[key] for key in ("a4-3x8", "a4-2x7", "roll-100x50", "roll-57x32"))
LONG = "T:A-SKU-CODE-OF-A-CHANNEL-THAT-IS-RATHER-LONG-0001/LOT-2026-11-23-0001"


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("code", ["MUG", "5012345678900", "L:MAIN/A-01-02", "O:WEB/100-4711", "lower/UPPER~!"])
def test_a_scanner_reads_the_bars_on_every_paper(layout, code) -> None:
    pdf = label_sheet([Label("Title", code, "Subtitle")], layout=layout)

    assert decoded(pdf) == {("Code128", code): 1}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_with_a_qr_both_symbols_say_the_same(layout) -> None:
    pdf = label_sheet([Label("MUG", "5012345678900")], layout=layout, with_qr=True)

    assert decoded(pdf) == {("Code128", "5012345678900"): 1, ("QRCode", "5012345678900"): 1}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("code", [LONG, "茶叶-001", "tab\tinside", "Größe-1"])
def test_what_bars_cannot_carry_becomes_a_qr(layout, code) -> None:
    pdf = label_sheet([Label("Title", code)], layout=layout)

    assert decoded(pdf) == {("QRCode", code): 1}


def test_a_code_that_no_symbol_of_this_size_can_carry_is_refused_by_name() -> None:
    with pytest.raises(ValidationFailed) as refused:
        label_sheet([Label("ok", "MUG"), Label("no", "茶" * 300)], layout=SMALL)

    assert [item["message"] for item in refused.value.items] == ["茶" * 300]


@given(code=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64))
def test_the_bars_are_those_of_the_standard(code) -> None:
    """ISO/IEC 15417 by hand: every character is 11 modules in 6 runs, the stop 13 in 7, the check character is true."""
    runs = bar_runs(code)

    assert (len(runs) - 7) % 6 == 0
    assert runs[-7:] == (2, 3, 3, 1, 1, 1, 2)
    characters = [runs[start : start + 6] for start in range(0, len(runs) - 7, 6)]
    assert {sum(character) for character in characters} == {11}
    assert {(a + c + e) % 2 for a, _b, c, _d, e, _f in characters} == {0}
    symbol = {
        tuple(ord(letter.lower()) - 96 for letter in pattern): value for value, pattern in code128._patterns.items()
    }
    start, *values, check = (symbol[character] for character in characters)
    assert (start + sum(place * value for place, value in enumerate(values, start=1))) % 103 == check


@settings(max_examples=15, deadline=None)
@given(codes=st.lists(st.text("ABCabc0123456789-/.:_ ", min_size=1, max_size=18), min_size=1, max_size=24, unique=True))
def test_a_sheet_of_any_codes_is_read_back_whole(codes) -> None:
    pdf = label_sheet([Label(code, code) for code in codes], layout=A4)

    assert Counter({text: count for (_symbology, text), count in decoded(pdf).items()}) == Counter(codes)


def test_no_module_is_narrower_than_a_scanner_reads_and_no_quiet_zone_is_cut() -> None:
    for layout in LAYOUTS.values():
        for length in range(1, 64):
            code = "A" * length
            module = module_width(code, layout.label[0], padding=layout.padding, is_thermal=layout.is_thermal)
            if module is None:
                assert plan_of(code, layout, with_qr=False).qr_side > 0
            else:
                assert module >= NARROWEST
                assert (modules_of(code) + 20) * module <= layout.label[0] + 1e-9
                assert modules_of(code) * module <= layout.label[0] - 2 * layout.padding + 1e-9


def test_labels_stay_inside_their_place_whatever_is_written_on_them() -> None:
    wordy = Label("W" * 200, "5012345678900", "名称" * 200 + " word" * 50, "× 1234567.125")
    for layout in LAYOUTS.values():
        image = pages(label_sheet([wordy], layout=layout, skip=layout.per_page - 1), dpi=150)[0].convert("L")
        left, top = (round(edge * 150 / 25.4) for edge in layout.corner(layout.per_page - 1))
        dark = image.point(lambda shade: 255 if shade < 128 else 0).getbbox()

        assert dark[0] > left + 6
        assert dark[1] > top + 6
        assert dark[2] < left + layout.label[0] * 150 / 25.4 - 6
        assert dark[3] < top + layout.label[1] * 150 / 25.4 - 6


def test_a_new_page_begins_when_one_is_full_and_used_places_are_left_free() -> None:
    labels = [Label(f"A-{n:02}", f"A-{n:02}") for n in range(30)]

    assert len(pages(label_sheet(labels[:24], layout=A4), dpi=72)) == 1
    assert len(pages(label_sheet(labels[:24], layout=A4, skip=1), dpi=72)) == 2
    assert len(pages(label_sheet(labels, layout=WIDE), dpi=72)) == 3
    assert len(pages(label_sheet(labels, layout=ROLL), dpi=72)) == 30


def test_chinese_names_stand_on_the_label_as_text_and_as_ink() -> None:
    pdf = label_sheet([Label("茶叶-001", "TEA-1", "西湖龙井 明前特级 녹차 日本の茶")], layout=ROLL)

    assert "茶叶-001" in text_of(pdf)
    assert "西湖龙井 明前特级" in text_of(pdf)
    assert b"STSong-Light" in pdf
    assert b"HYSMyeongJo-Medium" in pdf


def test_the_same_labels_make_the_same_bytes() -> None:
    labels = [Label("MUG", "MUG", "杯子"), Label("LAMP", "LAMP")]

    assert label_sheet(labels, layout=A4, with_qr=True) == label_sheet(labels, layout=A4, with_qr=True)


def test_text_is_shortened_and_broken_to_its_width() -> None:
    assert printable("Żółta\nlampa \x00😀") == "Zólta lampa □"
    assert shortened("A mug of blue stoneware", PLAIN, 8, 15) == "A mug of…"
    lines = in_lines("茶" * 40, PLAIN, 8, 30, at_most=2)
    assert len(lines) == 2
    assert all(text_width(line, PLAIN, 8) <= 30 for line in lines)
