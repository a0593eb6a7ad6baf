import catalog.models.channel
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="channel",
            name="time_zone",
            field=models.CharField(
                default="UTC",
                help_text="Decides the day an order's demand counts for.",
                max_length=64,
                validators=[catalog.models.channel.validate_time_zone],
                verbose_name="time zone",
            ),
        ),
    ]
