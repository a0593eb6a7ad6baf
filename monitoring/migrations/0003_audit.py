"""The audit trail of all rooms as one view, newest first by the number that all its tables share."""

from django.conf import settings
from django.db import migrations, models

TABLES = {
    **{
        f"{app}.{name}": (f"{app}_{name}audit", "pgh_obj_id")
        for app, names in {
            "catalog": ("category", "product", "sku", "kitpart", "packunit", "channel", "listing", "calendarevent"),
            "warehouses": ("warehouse", "location", "lot", "channelroute", "shippingrate", "stockrules", "channelquota"),
            "procurement": ("supplier", "supplieritem", "pricebreak", "policy", "suppliermembership"),
        }.items()
        for name in names
    },
    "auth.user": ("kernel_useraudit", "pgh_obj_id::bigint"),
    "auth.user_groups": ("kernel_userroleaudit", "user_id::bigint"),
}
_OWN = "'{pgh_id,pgh_created_at,pgh_label,pgh_actor_id,pgh_db_user,pgh_program,pgh_obj_id}'::text[]"


def part(label, table, row):
    # The row as a whole: a column that comes later is in the view without touching it.
    return (
        f"SELECT pgh_id AS id, '{label}'::text AS \"table\", {row} AS row_id, pgh_label AS kind, "
        "pgh_created_at AS happened_at, pgh_actor_id AS actor_id, pgh_db_user AS database_user, pgh_program AS program, "
        f"to_jsonb(event) - {_OWN} AS data FROM {table} event"
    )


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_audit'),
        ('kernel', '0005_audit'),
        ('monitoring', '0002_webhooks'),
        ('procurement', '0004_audit'),
        ('warehouses', '0008_audit'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            'CREATE VIEW audit_event AS\n' + '\nUNION ALL\n'.join(part(label, *at) for label, at in TABLES.items()),
            'DROP VIEW audit_event',
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('table', models.CharField(max_length=60, verbose_name='table')),
                ('row_id', models.BigIntegerField(verbose_name='row')),
                ('kind', models.CharField(choices=[('snapshot', 'There when the trail began'), ('insert', 'Added'), ('update', 'Changed'), ('delete', 'Deleted'), ('password', 'Password changed')], max_length=10, verbose_name='kind')),
                ('happened_at', models.DateTimeField(verbose_name='when')),
                ('database_user', models.CharField(max_length=63, verbose_name='database user')),
                ('program', models.CharField(max_length=63, verbose_name='program')),
                ('data', models.JSONField(verbose_name='row afterwards')),
            ],
            options={
                'verbose_name': 'audit event',
                'verbose_name_plural': 'audit trail',
                'db_table': 'audit_event',
                'ordering': ('-pk',),
                'managed': False,
            },
        ),
    ]
