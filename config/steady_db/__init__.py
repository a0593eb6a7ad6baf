"""Django's PostgreSQL backend for connections that are kept: whether one still stands is seen without asking."""
