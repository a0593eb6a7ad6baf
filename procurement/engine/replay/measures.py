"""What the replay counts, a number each per scenario, item and batch of days; the places in the kernel's output."""

(
    DEMAND,
    SERVED,
    SHORT,
    STOCK_DAYS,
    BACKORDER_DAYS,
    ORDERS,
    UNITS_ORDERED,
    CYCLES,
    CYCLES_SHORT,
    INTERVALS,
    INTERVALS_SHORT,
    WASTED,
    STOCKOUT_DAYS,
    EMPTY_DAYS,
    CLOSING_STOCK,
    CLOSING_ON_ORDER,
) = range(16)
COUNT = 16
