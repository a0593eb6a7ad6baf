"""What changes proposals, purchase orders and receipts."""
