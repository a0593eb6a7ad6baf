"""Cost layers: textbook figures for FIFO and the moving average, and what holds for any receipts and issues."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from warehouses.engine.layers import Pool, rounded, shared

DAY_ONE = datetime(2026, 7, 1, tzinfo=UTC)
NOTHING = Decimal(0)


def pool(*, is_average: bool = False) -> Pool:
    return Pool(NOTHING, NOTHING, is_average=is_average)


def buy(stock: Pool, quantity: int, cost: str, *, day: int = 1) -> None:
    value = rounded(quantity * Decimal(cost))
    stock.receive(Decimal(quantity), value, received_at=DAY_ONE + timedelta(days=day), key=f"{day}:{cost}")


# Franklin, Graybeal & Cooper, Principles of Accounting, Volume 1 (OpenStax 2019), 10.3: The Spy Who Loves You. Opening
# 150 at 21; 120 sold; 225 bought at 27; 180 sold; 210 bought at 33. Perpetual FIFO: cost of goods sold 7,200, closing
# 8,955. Perpetual moving average: 7,253 and 8,902 (in whole dollars).
def spy_who_loves_you(stock: Pool) -> tuple[Decimal, Decimal]:
    buy(stock, 150, "21")
    sold = stock.issue(Decimal(120))
    buy(stock, 225, "27", day=10)
    sold += stock.issue(Decimal(180))
    buy(stock, 210, "33", day=25)
    return sold, stock.value


def test_fifo_of_the_textbook() -> None:
    assert spy_who_loves_you(pool()) == (Decimal(7200), Decimal(8955))


def test_moving_average_of_the_textbook() -> None:
    sold, closing = spy_who_loves_you(pool(is_average=True))

    assert (round(sold), round(closing)) == (7253, 8902)
    assert (sold, closing) == (Decimal("7252.9412"), Decimal("8902.0588"))
    assert sold + closing == 150 * 21 + 225 * 27 + 210 * 33


def test_three_units_that_cost_ten_together_leave_with_ten() -> None:
    for is_average in (False, True):
        stock = pool(is_average=is_average)
        stock.receive(Decimal(3), Decimal(10), received_at=DAY_ONE, key="k")

        assert [stock.issue(Decimal(1)) for _n in range(3)] == [
            Decimal("3.3333"),
            Decimal("3.3334"),
            Decimal("3.3333"),
        ]
        assert (stock.quantity, stock.value) == (0, 0)


def test_units_too_cheap_for_the_stored_precision_lose_nothing() -> None:
    stock = pool()
    stock.receive(Decimal(7), Decimal("0.0003"), received_at=DAY_ONE, key="k")

    taken = [stock.issue(Decimal(1)) for _n in range(7)]

    assert sum(taken) == Decimal("0.0003")
    assert min(taken) >= 0
    assert stock.value == 0


steps = st.lists(
    st.tuples(st.integers(-9000, 9000).filter(bool), st.integers(0, 10**7)).map(
        lambda step: (Decimal(step[0]) / 1000, Decimal(step[1]) / 10_000)
    ),
    max_size=40,
)


@given(steps, st.booleans())
def test_cost_of_goods_and_closing_are_opening_and_purchases(steps: list[tuple[Decimal, Decimal]], avg: bool) -> None:
    """Any receipts and issues: Σ layers = pool at each step, nothing below zero, nothing worth without units."""
    stock, bought, sold = pool(is_average=avg), NOTHING, NOTHING

    for number, (quantity, cost) in enumerate(steps):
        if quantity > 0:
            value = rounded(quantity * cost)
            stock.receive(quantity, value, received_at=DAY_ONE + timedelta(hours=number), key=str(number))
            bought += value
        elif -quantity <= stock.quantity:
            sold += stock.issue(-quantity)

        assert sold + stock.value == bought
        assert sum((layer.remaining for layer in stock.layers), NOTHING) == stock.quantity
        assert sum((layer.value for layer in stock.layers), NOTHING) == stock.value
        assert all(layer.remaining >= 0 and layer.value >= 0 for layer in stock.layers)
        assert all(layer.value == 0 for layer in stock.layers if not layer.remaining)
        assert not avg or sum(1 for layer in stock.layers if layer.remaining) <= 1


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 99)), min_size=1, max_size=12), st.data())
def test_fifo_is_the_plain_queue_of_units(receipts: list[tuple[int, int]], data: st.DataObject) -> None:
    """Whole units with whole costs: what leaves is the head of the queue of units, whatever the sizes of the issues."""
    stock, queue = pool(), [cost for quantity, cost in receipts for _unit in range(quantity)]
    for number, (quantity, cost) in enumerate(receipts):
        buy(stock, quantity, str(cost), day=number)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(queue)), max_size=6)))

    for start, end in pairwise([0, *cuts]):
        if end > start:
            assert stock.issue(Decimal(end - start)) == sum(queue[start:end])


@given(st.decimals(-1000, 1000, places=4), st.lists(st.decimals(0, 50, places=3), min_size=1, max_size=20))
def test_shares_add_up_to_the_whole_and_none_turns_its_sign(total: Decimal, weights: list[Decimal]) -> None:
    shares = shared(total, weights)

    assert sum(shares, NOTHING) == total
    assert all(share * total >= 0 for share in shares)
