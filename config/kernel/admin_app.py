"""Names the admin site before any app is loaded."""

from django.contrib.admin.apps import AdminConfig


class HouseAdminConfig(AdminConfig):
    default_site = "config.kernel.admin_site.HouseAdminSite"
