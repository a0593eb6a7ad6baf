"""How dates and times are written: one unambiguous way, year first, in every language (FORMAT_MODULE_PATH)."""
