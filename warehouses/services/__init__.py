"""What changes stock, orders and returns."""
