"""A database of its own for a benchmark, on the servers of the data directory: made anew, migrated, empty."""

import django


def fresh_database(name: str) -> None:
    """Drop and make `name` (which ENTREPOT_DB_NAME must say already) and bring it to the present schema."""
    django.setup()
    import psycopg2
    from django.conf import settings
    from django.core.management import call_command

    from config.embedded import ensure_servers

    ensure_servers(settings.DATA_DIR)
    one = settings.DATABASES["default"]
    server = psycopg2.connect(
        host=one["HOST"], port=one["PORT"], user=one["USER"], password=one["PASSWORD"], dbname="postgres"
    )
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    server.close()
    call_command("migrate", verbosity=0)
