"""Lead times learned from receipts: per item, shrunk to the supplier and to all."""
