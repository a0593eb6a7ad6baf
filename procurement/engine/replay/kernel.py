"""The compiled day loop; `types` says what a day is. One file, as a cached compilation is renewed with its own file."""

import numpy as np
from numba import njit

from procurement.engine.replay import measures as at
from procurement.engine.replay.checks import Array, Whole

#: Sums of fractions go astray in the last digits; less than this share of a quantity is nothing.
DUST = 1e-9


@njit(cache=True, nogil=True, error_model="numpy")
def dust(quantity: float) -> float:
    """What counts as nothing beside `quantity`."""
    return DUST * max(1.0, abs(quantity))


@njit(cache=True, nogil=True, error_model="numpy")
def scrambled(seed: int, scenario: int, item: int, day: int) -> int:
    """A random-looking number of 62 bits for the place (splitmix64, Steele, Lea & Flood 2014)."""
    mixed = np.uint64(seed)
    for part in (scenario, item, day):
        mixed = (mixed ^ np.uint64(part)) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return np.int64(mixed >> np.uint64(2))  # type: ignore[return-value]


@njit(cache=True, nogil=True, error_model="numpy")
def order_quantity(
    position: float, s: float, S: float, lot: float, at_point: bool, minimum: float, pack: float, maximum: float
) -> float:
    """Units to order at a review. s = S = 10, position 4, minimum 5, pack 4 → 8; with maximum 11 → 4 < 5 → 0."""
    below = s - position
    if below < -dust(s) or (not at_point and below <= dust(s)):
        return 0.0
    if lot > 0.0:
        lots = below / lot
        quantity = lot * (np.floor(lots + dust(lots)) + 1.0 if at_point else np.ceil(lots - dust(lots)))
    else:
        quantity = S - position
        if quantity <= dust(S):
            return 0.0
    quantity = max(quantity, minimum)
    if pack > 0.0:
        quantity = pack * np.ceil(quantity / pack - dust(quantity / pack))
    if position + quantity > maximum + dust(maximum):
        quantity = maximum - position
        if pack > 0.0:
            quantity = pack * np.floor(quantity / pack + dust(quantity / pack))
        if quantity <= dust(maximum) or quantity < minimum:
            return 0.0
    return quantity


@njit(cache=True, nogil=True, error_model="numpy")
def take_oldest(cohorts: Array, oldest: int, units: float) -> int:
    """Take `units` out of the cohorts, the oldest first; the place of the oldest that may still hold some."""
    while units > 0.0 and oldest < len(cohorts):
        taken = min(units, cohorts[oldest])
        cohorts[oldest] -= taken
        units -= taken
        if units > 0.0:
            oldest += 1
    return oldest


@njit(cache=True, nogil=True, error_model="numpy")
def add_sums(row: Array, asked: float, served: float, stock: float, owed: float) -> None:
    """Put the sums of a batch where they belong; they are held apart in registers while the days run."""
    row[at.DEMAND] += asked
    row[at.SERVED] += served
    row[at.STOCK_DAYS] += stock
    row[at.BACKORDER_DAYS] += owed


@njit(cache=True, nogil=True, error_model="numpy")
def run_one(
    demand: Array,
    s: Array,
    S: Array,
    lot: Array,
    level_days: Whole,
    at_point: bool,
    review: Whole,
    lead_times: Whole,
    cross: bool,
    lost: bool,
    terms: Array,
    life: int,
    opening: float,
    pipeline: Array,
    place: Whole,
    batch_ends: Whole,
    arrivals: Array,
    cohorts: Array,
    out: Array,
) -> None:
    """One item in one scenario. `review` = days, offset, first interval; `terms` = minimum, pack, maximum;
    `place` = seed, scenario, item, warm-up; `arrivals` and `cohorts` are scratch of T days; out (batches, measures)."""
    days, set_in_use, batch, oldest, last = len(demand), 0, 0, 0, 0
    arrivals[:] = 0.0
    known = min(days, len(pipeline))
    arrivals[:known] = pipeline[:known]
    for day in range(known):
        if pipeline[day] > 0.0:
            last = day
    on_order, on_hand, backordered = pipeline.sum(), opening, 0.0
    if life > 0:
        cohorts[:] = 0.0
        cohorts[0] = opening
    next_review, next_interval, warm_up = review[1], review[2], place[3]
    while next_interval < warm_up:
        next_interval += review[0]
    in_cycle, cycle_short, in_interval, interval_short = False, False, False, False
    asked_sum, served_sum, stock_sum, owed_sum = 0.0, 0.0, 0.0, 0.0
    for day in range(days):
        counted = day >= warm_up
        if day == warm_up:
            asked_sum, served_sum, stock_sum, owed_sum = 0.0, 0.0, 0.0, 0.0
        if day == batch_ends[batch]:
            add_sums(out[batch], asked_sum, served_sum, stock_sum, owed_sum)
            asked_sum, served_sum, stock_sum, owed_sum = 0.0, 0.0, 0.0, 0.0
            batch += 1
        received = arrivals[day]
        on_order -= received
        if day == next_review:
            next_review += review[0]
            while set_in_use + 1 < len(level_days) and level_days[set_in_use + 1] <= day:
                set_in_use += 1
            position = on_hand + received + on_order - backordered
            quantity = order_quantity(
                position, s[set_in_use], S[set_in_use], lot[set_in_use], at_point, terms[0], terms[1], terms[2]
            )
            if quantity > 0.0:
                if counted:
                    out[batch, at.ORDERS] += 1.0
                    out[batch, at.UNITS_ORDERED] += quantity
                lead_time = lead_times[0]
                if len(lead_times) > 1:
                    lead_time = lead_times[scrambled(place[0], place[1], place[2], day) % len(lead_times)]
                due = day + lead_time
                if not cross:
                    due = max(due, last)
                    last = due
                if due == day:
                    received += quantity
                else:
                    on_order += quantity
                    if due < days:
                        arrivals[due] += quantity
        if received > 0.0:
            if counted:
                if in_cycle:
                    out[batch, at.CYCLES] += 1.0
                    if cycle_short:
                        out[batch, at.CYCLES_SHORT] += 1.0
                in_cycle, cycle_short = True, False
            owed = min(backordered, received)
            backordered -= owed
            on_hand += received - owed
            if life > 0:
                cohorts[day] += received - owed
        if day == next_interval:
            next_interval += review[0]
            if in_interval:
                out[batch, at.INTERVALS] += 1.0
                if interval_short:
                    out[batch, at.INTERVALS_SHORT] += 1.0
            in_interval, interval_short = True, False
        asked = demand[day]
        served, short = asked, 0.0
        if asked > on_hand + dust(asked):
            served = on_hand
            short = asked - on_hand
            if not lost:
                backordered += short
        if served > 0.0:
            on_hand = max(on_hand - served, 0.0)
            if life > 0:
                oldest = take_oldest(cohorts, oldest, served)
        wasted = 0.0
        if life > 0 and day + 1 >= life:
            wasted = min(cohorts[day + 1 - life], on_hand)
            cohorts[day + 1 - life] = 0.0
            on_hand -= wasted
        if short > 0.0 or backordered > dust(asked):
            cycle_short = True
            interval_short = True
        asked_sum += asked
        served_sum += served
        stock_sum += on_hand
        owed_sum += backordered
        if counted:
            if short > 0.0:
                out[batch, at.SHORT] += short
                out[batch, at.STOCKOUT_DAYS] += 1.0
            if on_hand <= 0.0:
                out[batch, at.EMPTY_DAYS] += 1.0
            if wasted > 0.0:
                out[batch, at.WASTED] += wasted
    add_sums(out[batch], asked_sum, served_sum, stock_sum, owed_sum)
    if in_interval and days == next_interval:
        out[batch, at.INTERVALS] += 1.0
        if interval_short:
            out[batch, at.INTERVALS_SHORT] += 1.0
    out[batch, at.CLOSING_STOCK] = on_hand
    out[batch, at.CLOSING_ON_ORDER] = on_order


@njit(cache=True, nogil=True, error_model="numpy")
def run_items(
    demand: Array,
    base: int,
    start: int,
    stop: int,
    s: Array,
    S: Array,
    lot: Array,
    level_days: Whole,
    at_point: bool,
    review: Whole,
    lead_times: Whole,
    cross: Array,
    lost: Array,
    terms: Array,
    life: Whole,
    opening: Array,
    pipeline: Array,
    place: Whole,
    batch_ends: Whole,
    out: Array,
) -> None:
    """Items start … stop − 1 for all candidates and scenarios: demand (M, ·, T), whose row 0 is item `base`;
    levels (C, N, U); out (C, M, N, B, measures); all else by item."""
    days = demand.shape[2]
    arrivals, cohorts, here = np.zeros(days), np.zeros(days), place.copy()
    for item in range(start, stop):
        for scenario in range(demand.shape[0]):
            here[1], here[2] = scenario, item
            for candidate in range(s.shape[0]):
                run_one(
                    demand[scenario, item - base],
                    s[candidate, item],
                    S[candidate, item],
                    lot[candidate, item],
                    level_days,
                    at_point,
                    review[item],
                    lead_times[item],
                    cross[item],
                    lost[item],
                    terms[item],
                    life[item],
                    opening[item],
                    pipeline[item],
                    here,
                    batch_ends,
                    arrivals,
                    cohorts,
                    out[candidate, scenario, item],
                )
