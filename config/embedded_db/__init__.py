"""Django's PostgreSQL backend that brings the embedded server up again when nothing answers."""
