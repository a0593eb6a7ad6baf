"""The numbers of procurement: when to buy, how much, and why; pure numerics without Django, clock or logging."""
