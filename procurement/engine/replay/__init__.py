"""Replay: a periodic review policy run day by day over demand that was or might be, for many items and scenarios."""
