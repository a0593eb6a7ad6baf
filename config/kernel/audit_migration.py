"""Steps of the migrations that bring in the audit trail; they know only the tables as the migration finds them."""

from typing import Any

from django.db import migrations


def snapshots_of(app_label: str, *event_models: str) -> migrations.RunPython:
    """One event for every row that is there already, so that the first change after it can say what was before."""

    def take(apps: Any, editor: Any) -> None:
        for name in event_models:
            editor.execute(_snapshot(apps.get_model(app_label, name)))

    return migrations.RunPython(take, migrations.RunPython.noop)


def _snapshot(event: Any) -> str:
    rows = event._meta.get_field("pgh_obj").related_model._meta
    columns = [f'"{f.column}"' for f in event._meta.concrete_fields if not f.name.startswith("pgh_")]
    listed, key = ", ".join(columns), f'"{rows.pk.column}"'
    return (
        f'INSERT INTO "{event._meta.db_table}" ({listed}, pgh_obj_id, pgh_label, pgh_created_at) '  # noqa: S608
        f"SELECT {listed}, {key}, 'snapshot', now() FROM \"{rows.db_table}\" ORDER BY {key}"
    )
