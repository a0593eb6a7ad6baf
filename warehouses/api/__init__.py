"""The warehouses' API: stock, orders, shipments, returns."""
