"""Which warehouses serve an order: textbook cases, and equality with an exhaustive search."""

from decimal import Decimal
from functools import cache
from itertools import combinations
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouses.engine.sourcing import choose_sources
from warehouses.engine.sourcing_types import Candidate, Line, Sourcing

D = Decimal


def parts_of(chosen: Sourcing) -> list[tuple[str, str, int]]:
    return [(str(part.line), str(part.warehouse), int(part.quantity)) for part in chosen.parts]


def codes_of(chosen: Sourcing) -> dict[str, str]:
    return {str(r.params["warehouse"]): r.code for r in chosen.reasons if r.code != "alternative"}


def test_one_warehouse_that_has_it_all_beats_two_that_share_it() -> None:
    lines = [Line("1", D(3), "lamp", D(2))]
    near, far = Candidate("A", 1, D(4), D(1)), Candidate("B", 2, D(6), D(1))

    chosen = choose_sources(lines, [near, far], {("lamp", "A"): D(2), ("lamp", "B"): D(3)}, split_penalty=D(1))

    assert parts_of(chosen) == [("1", "B", 3)]
    assert chosen.cost == D(12)
    assert chosen.waiting == ()
    assert chosen.warehouses == ("B",)
    assert codes_of(chosen) == {"B": "chosen", "A": "would_add_parcel"}


def test_splitting_pays_when_the_complete_warehouse_is_far_too_dear() -> None:
    lines = [Line("1", D(3), "lamp", D(2))]
    warehouses = [Candidate("A", 1, D(4), D(1)), Candidate("B", 2, D(4), D(1)), Candidate("C", 3, D(40), D(1))]
    free = {("lamp", "A"): D(2), ("lamp", "B"): D(2), ("lamp", "C"): D(9)}

    chosen = choose_sources(lines, warehouses, free, split_penalty=D(5))

    assert parts_of(chosen) == [("1", "A", 2), ("1", "B", 1)]
    assert chosen.cost == D(4 + 4 + 6 + 5)
    alternative = next(reason for reason in chosen.reasons if reason.code == "alternative")
    assert dict(alternative.params) == {"warehouses": ("C",), "units": D(3), "cost": D(46)}


def test_a_tie_goes_to_the_smaller_rank() -> None:
    free = {("lamp", "A"): D(1), ("lamp", "B"): D(1)}

    chosen = choose_sources([Line("1", D(1), "lamp")], [Candidate("A", 2), Candidate("B", 1)], free)

    assert parts_of(chosen) == [("1", "B", 1)]
    assert codes_of(chosen) == {"B": "chosen", "A": "ranks_later"}


def test_every_warehouse_that_is_passed_over_says_why() -> None:
    warehouses = [
        Candidate("chosen", 1),
        Candidate("full", 2, has_capacity=False),
        Candidate("elsewhere", 3, routed=False),
        Candidate("empty", 4),
        Candidate("dear", 5, D(7)),
    ]
    free = {("lamp", w.key): D(0 if w.key == "empty" else 5) for w in warehouses}

    chosen = choose_sources([Line("1", D(1), "lamp")], warehouses, free)

    assert codes_of(chosen) == {
        "chosen": "chosen",
        "full": "no_capacity",
        "elsewhere": "not_routed",
        "empty": "no_stock",
        "dear": "costs_more",
    }


def test_a_kit_leaves_complete_from_one_warehouse_and_shares_parts_with_plain_lines() -> None:
    kit = Line("kit", D(2), parts=(("cup", D(2)), ("saucer", D(2))))
    lines = [kit, Line("cups", D(3), "cup")]
    free = {("cup", "A"): D(5), ("saucer", "A"): D(2), ("cup", "B"): D(3), ("saucer", "B"): D(2)}

    chosen = choose_sources(lines, [Candidate("A", 1, D(1)), Candidate("B", 2, D(1))], free)

    assert parts_of(chosen) == [("kit", "A", 1), ("kit", "B", 1), ("cups", "A", 3)]
    assert chosen.waiting == ()


def test_what_cannot_be_served_waits_where_the_line_is_already_served() -> None:
    free = {("lamp", "A"): D(0), ("lamp", "B"): D(2), ("sofa", "B"): D(0), ("sofa", "A"): D(0)}

    chosen = choose_sources(
        [Line("1", D(3), "lamp"), Line("2", D(1), "sofa")], [Candidate("A", 1), Candidate("B", 2)], free
    )

    assert parts_of(chosen) == [("1", "B", 2)]
    assert [(w.line, w.warehouse, w.quantity) for w in chosen.waiting] == [("1", "B", D(1)), ("2", "A", D(1))]


def test_an_order_that_stays_whole_waits_whole() -> None:
    free = {("lamp", "A"): D(1), ("sofa", "B"): D(2)}
    lines = [Line("1", D(1), "lamp"), Line("2", D(2), "sofa")]

    chosen = choose_sources(lines, [Candidate("A", 1), Candidate("B", 2)], free, may_split=False)

    assert parts_of(chosen) == [("2", "B", 2)]
    assert [(w.line, w.warehouse, w.quantity) for w in chosen.waiting] == [("1", "B", D(1))]
    assert codes_of(chosen)["A"] == "serves_less"


def test_nothing_routed_waits_nowhere() -> None:
    chosen = choose_sources([Line("1", D(1), "lamp")], [Candidate("A", routed=False)], {("lamp", "A"): D(5)})

    assert chosen.parts == ()
    assert [(w.line, w.warehouse, w.quantity) for w in chosen.waiting] == [("1", None, D(1))]


def test_twenty_warehouses_find_the_cheap_pair() -> None:
    warehouses = [Candidate(n, n, D(9)) for n in range(20)] + [Candidate("x", 50, D(1)), Candidate("y", 51, D(1))]
    free = {("lamp", n): D(1) for n in range(20)} | {("lamp", "x"): D(2), ("lamp", "y"): D(2)}

    chosen = choose_sources([Line("1", D(4), "lamp")], warehouses, free)

    assert chosen.warehouses == ("x", "y")
    assert chosen.cost == D(2)


# ——— the oracle: every way to give every line, from every set of warehouses


def ways(quantity: int, places: int) -> list[tuple[int, ...]]:
    """All tuples of `places` counts that add up to at most `quantity`."""
    if not places:
        return [()]
    return [(n, *rest) for n in range(quantity + 1) for rest in ways(quantity - n, places - 1)]


def exhaustive(lines, warehouses, free, penalty, may_split):
    usable = [w for w in warehouses if w.routed and w.has_capacity]
    skus = sorted({sku for line in lines for sku in line.skus})
    best = (0, D(0), 0, [])
    for size in range(1, (len(usable) if may_split else 1) + 1):
        for opened in combinations(usable, size):
            stock = tuple(int(free.get((sku, w.key), 0)) for w in opened for sku in skus)

            @cache
            def most(at, stock, opened=opened):
                if at == len(lines):
                    return (0, D(0))
                line, found = lines[at], None
                needs = line.parts or ((line.sku, D(1)),)
                for counts in ways(int(line.quantity), len(opened)):
                    if not line.splittable and sum(1 for n in counts if n) > 1:
                        continue
                    left, cost = list(stock), D(0)
                    for place, count in enumerate(counts):
                        cost += count * line.weight_kg * opened[place].cost_per_kg
                        for sku, each in needs:
                            left[place * len(skus) + skus.index(sku)] -= int(each) * count
                    if min(left) < 0:
                        continue
                    units, later = most(at + 1, tuple(left))
                    candidate = (units - sum(counts), cost + later)
                    found = candidate if found is None else min(found, candidate)
                return found

            units, cost = most(0, stock)
            if units:
                cost += sum(w.parcel_cost for w in opened) + penalty * (size - 1)
                ranks = sorted((w.rank, warehouses.index(w)) for w in opened)
                best = min(best, (units, cost, size, ranks))
    return best


def check(lines, warehouses, free, chosen, penalty, may_split) -> tuple:
    """The plan is allowed; its key, worked out from the parts alone."""
    where = {w.key: w for w in warehouses}
    taken: dict = {}
    served = {line.key: D(0) for line in lines}
    used = set()
    cost = D(0)
    for part in chosen.parts:
        line = next(line for line in lines if line.key == part.line)
        warehouse = where[part.warehouse]
        assert part.quantity > 0
        assert warehouse.routed
        assert warehouse.has_capacity
        for sku, each in line.parts or ((line.sku, D(1)),):
            taken[sku, part.warehouse] = taken.get((sku, part.warehouse), D(0)) + each * part.quantity
        served[line.key] += part.quantity
        used.add(part.warehouse)
        cost += part.quantity * line.weight_kg * warehouse.cost_per_kg
    for line in lines:
        assert line.splittable or len({part.warehouse for part in chosen.parts if part.line == line.key}) <= 1
        assert served[line.key] + sum(w.quantity for w in chosen.waiting if w.line == line.key) == line.quantity
    assert all(quantity <= free.get(place, 0) for place, quantity in taken.items())
    assert may_split or len(used) <= 1
    cost += sum(where[key].parcel_cost for key in used) + penalty * max(len(used) - 1, 0)
    assert cost == chosen.cost
    assert set(chosen.warehouses) == used
    ranks = sorted((where[key].rank, warehouses.index(where[key])) for key in used)
    return (-sum(served.values()), cost, len(used), ranks)


@st.composite
def orders(draw, most_warehouses: int, most_lines: int, most_kits: int):
    skus = ["a", "b", "c"]
    count = draw(st.integers(1, most_warehouses))
    warehouses = [
        Candidate(
            n,
            draw(st.integers(0, 2)),
            D(draw(st.integers(0, 6))),
            D(draw(st.integers(0, 3))),
            draw(st.sampled_from([True] * 7 + [False])),
            draw(st.sampled_from([True] * 7 + [False])),
        )
        for n in range(count)
    ]
    weight = {sku: D(draw(st.integers(0, 3))) for sku in skus}
    lines = []
    kits = 0
    for n in range(draw(st.integers(1, most_lines))):
        quantity, splittable = D(draw(st.integers(1, 3))), draw(st.booleans())
        if kits < most_kits and draw(st.booleans()):
            kits += 1
            parts = {sku: draw(st.integers(0, 2)) for sku in skus}
            parts = {sku: D(each) for sku, each in parts.items() if each} or {"a": D(1)}
            kg = sum(weight[sku] * each for sku, each in parts.items())
            lines.append(Line(n, quantity, None, kg, tuple(parts.items()), splittable))
        else:
            sku = draw(st.sampled_from(skus))
            lines.append(Line(n, quantity, sku, weight[sku], (), splittable))
    free = {(sku, n): D(draw(st.integers(0, 4))) for sku in skus for n in range(count) if draw(st.booleans())}
    return lines, warehouses, free, D(draw(st.integers(0, 4))), draw(st.sampled_from([True, True, True, False]))


@given(orders(most_warehouses=3, most_lines=4, most_kits=2))
@settings(max_examples=300, deadline=None)
def test_the_choice_equals_an_exhaustive_search(order) -> None:
    lines, warehouses, free, penalty, may_split = order

    chosen = choose_sources(lines, warehouses, free, split_penalty=penalty, may_split=may_split)

    assert check(lines, warehouses, free, chosen, penalty, may_split) == exhaustive(
        lines, warehouses, free, penalty, may_split
    )


@given(orders(most_warehouses=5, most_lines=6, most_kits=1))
@settings(max_examples=60, deadline=None)
def test_so_it_does_with_five_warehouses_and_six_lines(order) -> None:
    lines, warehouses, free, penalty, may_split = order

    chosen = choose_sources(lines, warehouses, free, split_penalty=penalty, may_split=may_split)

    assert check(lines, warehouses, free, chosen, penalty, may_split) == exhaustive(
        lines, warehouses, free, penalty, may_split
    )


@given(orders(most_warehouses=12, most_lines=5, most_kits=2))
@settings(max_examples=60, deadline=None)
def test_many_warehouses_always_give_an_allowed_plan(order) -> None:
    lines, warehouses, free, penalty, may_split = order

    chosen = choose_sources(lines, warehouses, free, split_penalty=penalty, may_split=may_split)

    assert check(lines, warehouses, free, chosen, penalty, may_split)[0] <= 0


def test_kits_and_lines_in_the_thousands_still_end() -> None:
    """Where the search is too large to finish it keeps the best found."""
    lines = [
        Line("k1", D(5000), parts=(("a", D(1)), ("b", D(2))), weight_kg=D(1)),
        Line("k2", D(5000), parts=(("a", D(2)), ("c", D(1))), weight_kg=D(1)),
        Line("a", D(9000), "a", D(1)),
    ]
    warehouses = [Candidate(n, n, D(n), D(n % 3)) for n in range(5)]
    free = {(sku, n): D(3000 + 100 * n) for sku in "abc" for n in range(5)}
    begin = perf_counter()

    chosen = choose_sources(lines, warehouses, free, split_penalty=D(1))

    assert perf_counter() - begin < 5
    assert check(lines, warehouses, free, chosen, D(1), True)[0] < 0


@pytest.mark.parametrize(("lines", "warehouses"), [(1, 3), (6, 5)])
def test_a_choice_is_quick(lines: int, warehouses: int) -> None:
    """30 and 200 µs on the development machine; the bound only catches another order of magnitude."""
    order = [Line(n, D(2), n, D(1)) for n in range(lines)]
    places = [Candidate(n, n, D(5 + n % 2), D(1)) for n in range(warehouses)]
    free = {(line, n): D((line + n) % 3) for line in range(lines) for n in range(warehouses)}

    begin = perf_counter()
    for _ in range(20):
        choose_sources(order, places, free, split_penalty=D(2))

    assert (perf_counter() - begin) / 20 < 0.05
