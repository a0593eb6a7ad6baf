"""The buying API: suppliers, proposals, purchase orders, receipts, plans."""
