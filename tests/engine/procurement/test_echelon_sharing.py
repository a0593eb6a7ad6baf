"""Fair shares, rebalancing, transfer before buy: adds up, agrees with brute force, never worse than nothing."""

import itertools
import math
import random

import pytest

from procurement.engine.echelon.allocation import Claim, allocate
from procurement.engine.echelon.pooling import pooled_sd
from procurement.engine.echelon.rebalancing import Lane, Place, rebalance
from procurement.engine.echelon.transfer_or_buy import Need, Source, transfer_or_buy
from procurement.engine.errors import ParameterError
from procurement.engine.explanation import replay
from procurement.engine.quantiles import QuantileCurve

NORMAL = {0.5: 50.0, 0.8413447460685429: 60.0}  # N(50, 10)


def test_two_like_places_end_with_the_same_stock():
    shares = allocate(10, [Claim("a", NORMAL, held=4), Claim("b", NORMAL)])

    assert shares.quantities == (3, 7)
    assert shares.left_over == 0


def test_shares_equalise_the_probability_of_running_out():
    wide = {0.5: 50.0, 0.8413447460685429: 80.0}  # N(50, 30)

    shares = allocate(140, [Claim("a", NORMAL), Claim("b", wide)])

    assert shares.quantities == pytest.approx((60, 80), abs=1)
    assert shares.shortage_probabilities[0] == pytest.approx(shares.shortage_probabilities[1], abs=0.02)


def test_a_weight_makes_a_place_run_out_less():
    shares = allocate(100, [Claim("a", NORMAL, weight=4), Claim("b", NORMAL)])

    assert sum(shares.quantities) == 100
    assert 4 * shares.shortage_probabilities[0] == pytest.approx(shares.shortage_probabilities[1], abs=0.06)


def test_random_shares_are_never_negative_and_add_up_exactly():
    draw = random.Random(5)
    for _ in range(60):
        claims = [
            Claim(
                str(n),
                {0.5: draw.randint(0, 40), 0.9: draw.randint(40, 90)},
                held=draw.randint(-5, 60),
                pack=draw.choice((1, 6, 12)),
                weight=draw.choice((1, 2)),
                maximum=draw.choice((math.inf, 24)),
            )
            for n in range(draw.randint(1, 6))
        ]
        available = draw.randint(0, 200)

        shares = allocate(available, claims)

        assert sum(shares.quantities) + shares.left_over == available
        assert all(0 <= got <= claim.maximum for got, claim in zip(shares.quantities, claims, strict=True))
        assert all(got % claim.pack == 0 for got, claim in zip(shares.quantities, claims, strict=True))


def test_shares_leave_no_less_shortage_to_any_other_sharing():
    claims = [Claim("a", NORMAL, weight=2), Claim("b", {0.5: 5.0, 0.9: 12.0}), Claim("c", {0.5: 0.0, 0.9: 6.0})]
    curves = [QuantileCurve.through(claim.quantiles) for claim in claims]

    def shortage(shares):
        return sum(
            claim.weight * curve.expected_shortage(got)
            for claim, curve, got in zip(claims, curves, shares, strict=True)
        )

    found = allocate(20, claims).quantities
    best = min(shortage((a, b, 20 - a - b)) for a in range(21) for b in range(21 - a))

    assert shortage(found) == pytest.approx(best, rel=1e-12)


def test_what_nobody_needs_is_left_over():
    assert allocate(7, [Claim("a", {0.5: 0.0, 0.9: 0.0})]).left_over == 7


@pytest.mark.parametrize(
    ("claim", "parameter"),
    [
        (Claim("a", NORMAL, pack=0), "claims[a].pack"),
        (Claim("a", NORMAL, weight=-1), "claims[a].weight"),
        (Claim("a", NORMAL, held=math.nan), "claims[a].held"),
        (Claim("a", {}), "claims[a].quantiles"),
    ],
)
def test_a_fault_of_a_claim_is_told_by_its_parameter(claim, parameter):
    with pytest.raises(ParameterError) as fault:
        allocate(10, [claim])

    assert fault.value.parameter == parameter


def test_stock_moves_until_the_next_unit_saves_less_than_it_costs():
    places = [Place("a", NORMAL, 20, 20, 10), Place("b", NORMAL, 100, 100, 10)]

    found = rebalance(places, [Lane(0, 1, 1), Lane(1, 0, 1)])

    assert [(move.lane.source, move.quantity) for move in found.moves] == [(1, 38)]
    assert found.saving == pytest.approx(_best(places, [Lane(0, 1, 1), Lane(1, 0, 1)]), rel=1e-9)


def test_a_dear_transfer_is_not_made():
    places = [Place("a", NORMAL, 20, 20, 10), Place("b", NORMAL, 100, 100, 10)]

    assert rebalance(places, [Lane(1, 0, 1, fixed_cost=500)]).moves == ()


def test_small_random_cases_agree_with_brute_force():
    draw = random.Random(11)
    for _ in range(40):
        places = [
            Place(
                str(n),
                {0.5: draw.randint(0, 4), 0.9: draw.randint(4, 9)},
                stock := draw.randint(0, 6),
                draw.randint(0, stock),
                draw.choice((2.0, 5.0, 9.0)),
                draw.choice((0.0, 0.3)),
            )
            for n in range(3)
        ]
        lanes = [
            Lane(a, b, draw.choice((0.1, 0.5)), draw.choice((0.0, 1.5, 4.0)))
            for a, b in itertools.permutations(range(3), 2)
            if draw.random() < 0.6
        ]

        found = rebalance(places, lanes)

        assert found.saving == pytest.approx(_best(places, lanes), rel=1e-6, abs=1e-7)
        for n, place in enumerate(places):
            assert sum(move.quantity for move in found.moves if move.lane.source == n) <= place.movable


def _best(places, lanes):
    curves = [QuantileCurve.through(place.quantiles) for place in places]
    start = sum(place.cost(curve, place.stock) for place, curve in zip(places, curves, strict=True))
    best = start
    for moved in itertools.product(*(range(int(places[lane.source].movable) + 1) for lane in lanes)):
        out = [0] * len(places)
        stock = [place.stock for place in places]
        cost = 0.0
        for lane, quantity in zip(lanes, moved, strict=True):
            out[lane.source] += quantity
            stock[lane.source] -= quantity
            stock[lane.target] += quantity
            cost += (lane.fixed_cost + lane.unit_cost * quantity) if quantity else 0.0
        if all(gone <= place.movable for gone, place in zip(out, places, strict=True)):
            cost += sum(p.cost(c, x) for p, c, x in zip(places, curves, stock, strict=True))
            best = min(best, cost)
    return start - best


def test_surplus_is_moved_before_it_is_bought():
    found = transfer_or_buy(Need(100, 5, 10), [Source("hub", 60, 1, 20)])

    assert (found.transfers, found.buy, found.cost) == ((60,), 40, 280)


def test_a_transfer_dearer_than_buying_is_not_made():
    found = transfer_or_buy(Need(100, 5, 10), [Source("hub", 60, 6)])

    assert (found.transfers, found.buy) == ((0,), 100)


def test_a_transfer_that_comes_sooner_may_cost_more():
    late = Need(10, 5, buy_days=14, shortage_cost_per_day=0.5)

    found = transfer_or_buy(late, [Source("hub", 10, unit_cost=6, days=2)])

    assert found.transfers == (10,)


def test_the_explanation_replays_and_adds_up_to_the_cost():
    need = Need(100, 5, 10, buy_fixed_cost=30, kept_worth=0.4, shortage_cost_per_day=0.1, transfer_pack=6, buy_pack=12)

    found = transfer_or_buy(need, [Source("east", 25, 1, 5, 2), Source("west", 40, 0.5, 5, 3)])

    values = {term.code: term.value for term in found.explanation}
    assert replay(found.explanation) == found.explanation
    assert sum(found.transfers) + found.buy >= 100
    assert values["cost"] == found.cost
    assert values["moved_1"] + values["moved_2"] == sum(found.transfers)
    assert values["bought"] == found.buy


def test_a_fault_of_a_need_is_told_by_its_parameter():
    with pytest.raises(ParameterError) as fault:
        transfer_or_buy(Need(-1, 5, 10), [])

    assert fault.value.parameter == "quantity"


def test_pooled_stock_shrinks_with_the_root_only_for_like_and_independent_places():
    together = [[1.0] * 4 for _ in range(4)]

    assert pooled_sd([10] * 4) == 20
    assert pooled_sd([10] * 4, together) == 40
    assert pooled_sd([3, 4], [[1, -1], [-1, 1]]) == pytest.approx(1)
    assert pooled_sd([3, 4], [[1, 0.5], [0.5, 1]]) == pytest.approx(37**0.5)
    assert pooled_sd([30, 1, 1, 1]) == pytest.approx(903**0.5)


def test_correlations_that_contradict_each_other_are_refused():
    table = [[1, -0.9, -0.9], [-0.9, 1, -0.9], [-0.9, -0.9, 1]]

    with pytest.raises(ParameterError) as fault:
        pooled_sd([1, 1, 1], table)

    assert fault.value.parameter == "correlations"
