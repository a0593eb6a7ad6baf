"""Policies for many items at once: distribution of demand over a random lead time, targets, levels, choice of model."""
