from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouses", "0002_sequences")]
    operations = [
        migrations.AddField(
            model_name="shipment",
            name="key",
            field=models.CharField(
                default="",
                help_text="The same key again is the same shipment.",
                max_length=255,
                verbose_name="idempotency key",
            ),
            preserve_default=False,
        ),
        migrations.RunSQL("UPDATE warehouses_shipment SET key = 'shipment-' || id", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="shipment",
            name="key",
            field=models.CharField(
                help_text="The same key again is the same shipment.",
                max_length=255,
                unique=True,
                verbose_name="idempotency key",
            ),
        ),
    ]
