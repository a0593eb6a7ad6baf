"""The groups that carry the roles; their rights stand in config.kernel.policy, not in the database."""

from django.conf import settings
from django.db import migrations

ROLES = ("Planner", "Warehouse clerk", "Viewer", "Integration", "Supplier")


def make_groups(apps, schema_editor):
    group = apps.get_model("auth", "Group")
    group.objects.bulk_create([group(name=name) for name in ROLES], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
