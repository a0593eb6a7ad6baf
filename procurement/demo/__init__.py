"""The seeded demo company "Harbour & Hearth": a believable two-year history to look at, whose true demand is known."""
