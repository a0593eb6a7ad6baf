"""A cart says what it holds of which quota, so that exactly this is given back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("warehouses", "0008_audit")]

    operations = [
        migrations.AddField(
            model_name="cart",
            name="quota_used",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="Quota id → units it holds of it.",
                verbose_name="of quotas",
            ),
        ),
    ]
