import catalog.models.channel
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_channel_time_zone_exists"), ("warehouses", "0003_shipment_key")]

    operations = [
        migrations.AlterField(
            model_name="warehouse",
            name="time_zone",
            field=models.CharField(
                default="UTC",
                max_length=64,
                validators=[catalog.models.channel.validate_time_zone],
                verbose_name="time zone",
            ),
        ),
    ]
