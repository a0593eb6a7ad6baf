"""Writes the demo company into an empty database: two years of history at once, by COPY, in one transaction.

This is a bulk load of history, as a data migration from another system would be, and the one allowed exception to
`warehouses.services.stock.post_movements`: ledger, levels and values are written side by side, already in agreement
(level = opening + Σ movements, reserved = Σ reservations, value = Σ layers), and only while no SKU exists. The
constraints of the database hold for every row all the same, and `manage.py audit_stock` finds nothing afterwards.
"""
