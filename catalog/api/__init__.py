"""The catalogue's API."""
