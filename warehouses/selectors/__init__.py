"""What can be asked about stock, orders and returns."""
