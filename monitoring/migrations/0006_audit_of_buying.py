"""The audit trail's view shows the closures of suppliers and the buying budgets as well."""

import importlib

from django.db import migrations

earlier = importlib.import_module("monitoring.migrations.0003_audit")
BEFORE = dict(earlier.TABLES)
AFTER = BEFORE | {
    "procurement.supplierclosure": ("procurement_supplierclosureaudit", "pgh_obj_id"),
    "procurement.buyingbudget": ("procurement_buyingbudgetaudit", "pgh_obj_id"),
}


def view(tables):
    parts = "\nUNION ALL\n".join(earlier.part(label, *at) for label, at in tables.items())
    return "CREATE OR REPLACE VIEW audit_event AS\n" + parts


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0005_forecast_drift_alerts'),
        ('procurement', '0006_optimisation'),
    ]

    operations = [migrations.RunSQL(view(AFTER), view(BEFORE))]
