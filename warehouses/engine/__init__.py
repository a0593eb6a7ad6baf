"""The pure arithmetic of the warehouses: who serves an order, what may be promised, who gets what is short."""
