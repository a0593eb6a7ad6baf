"""Writes of the catalogue that others ask for."""
