"""What the demo's movements were worth: the curve gives what a plain loop over layers gives."""

from collections import defaultdict, deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from procurement.demo.loading.worth import fifo_worth


def by_loop(rows: list[tuple[int, int, int]]) -> tuple[list[int], list[int]]:
    """(value of each, what remains of each) by taking units one layer at a time."""
    layers: dict[int, deque[list[int]]] = defaultdict(deque)
    values, remaining = [], [0] * len(rows)
    for place, (pool, quantity, cost) in enumerate(rows):
        if quantity > 0:
            layers[pool].append([quantity, cost, place])
            values.append(quantity * cost)
            continue
        value, left = 0, -quantity
        while left:
            layer = layers[pool][0]
            part = min(left, layer[0])
            value, left, layer[0] = value + part * layer[1], left - part, layer[0] - part
            if not layer[0]:
                layers[pool].popleft()
        values.append(-value)
    for open_layers in layers.values():
        for units, _cost, place in open_layers:
            remaining[place] = units
    return values, remaining


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Movements of a few pools that never go below zero, the first of them an arrival."""
    rows, there = [(0, 5, 100)], defaultdict(int, {0: 5})
    for _ in range(draw(st.integers(0, 40))):
        pool, units, cost = draw(st.integers(0, 3)), draw(st.integers(1, 9)), draw(st.integers(0, 500))
        leaves = draw(st.booleans()) and there[pool] >= units
        there[pool] += -units if leaves else units
        rows.append((pool, -units if leaves else units, cost))
    return rows


def test_the_worked_example() -> None:
    worth = fifo_worth(np.zeros(3, dtype=np.int64), np.array([10, 10, -12]), np.array([200, 300, 0]))

    assert worth.value.tolist() == [2000, 3000, -2600]
    assert worth.remaining.tolist() == [0, 8, 0]
    assert worth.unit_cost.tolist() == [20000, 30000, 21667]  # 26.00 / 12 = 2.1667


@given(histories())
def test_the_curve_gives_what_a_loop_gives(rows: list[tuple[int, int, int]]) -> None:
    pool, quantity, cost = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))

    worth = fifo_worth(pool, quantity, cost)

    assert (worth.value.tolist(), worth.remaining.tolist()) == by_loop(rows)
