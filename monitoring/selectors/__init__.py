"""What can be asked about how the house does."""
