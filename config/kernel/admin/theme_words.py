"""The words of the theme, listed so that makemessages finds them; nothing imports this module.

django-unfold ships no Chinese catalogue. Its messages stand in its own templates, which makemessages does not read, and
would be dropped from ours as obsolete at the next extraction; named here, they stay and are translated with our own.
"""

from django.utils.translation import gettext_noop

WORDS = (
    gettext_noop("Select record"),
    gettext_noop("Select action"),
    gettext_noop("Select action to run"),
    gettext_noop("Select value"),
    gettext_noop("Select all rows"),
    gettext_noop("Collapse"),
    gettext_noop("Default"),
    gettext_noop("Current file"),
    gettext_noop("Reset to default"),
    gettext_noop("Date from"),
    gettext_noop("Date to"),
    gettext_noop("Not enough data."),
    gettext_noop("Add new item"),
    gettext_noop("Add row"),
    gettext_noop("Submit"),
    gettext_noop("Run"),
    gettext_noop("Expand row"),
    gettext_noop("Welcome back to"),
    gettext_noop("Type to search"),
    gettext_noop("You have been successfully logged out from the administration"),
    gettext_noop("After you've created a user, you’ll be able to edit more user options."),
    gettext_noop(
        'Raw passwords are not stored, so there is no way to see this user’s password, but you can change the password using <a href="{}" class="text-primary-600 dark:text-primary-500">this form</a>.'  # noqa: E501
    ),
    gettext_noop("You can not create nested object without parent"),
    gettext_noop("No data"),
    gettext_noop("More actions"),
    gettext_noop("All applications"),
    gettext_noop("True"),
    gettext_noop("False"),
    gettext_noop("Apply Filters"),
    gettext_noop("Reset filters"),
    gettext_noop("Recent searches"),
    gettext_noop("No recent searches"),
    gettext_noop("No results matching your query"),
    gettext_noop("No results found"),
    gettext_noop("Loading more results..."),
    gettext_noop("This page yielded into no results. Create a new item or reset your filters."),
    gettext_noop("Search apps and models..."),
    gettext_noop("Cancel"),
    gettext_noop("Record picture"),
    gettext_noop("This item will be deleted."),
    gettext_noop("Click to cancel"),
    gettext_noop("Image preview"),
    gettext_noop("Click to download"),
    gettext_noop("Go back"),
    gettext_noop("General"),
    gettext_noop("Light"),
    gettext_noop("Dark"),
    gettext_noop("Return to site"),
    gettext_noop("Choose file to upload"),
    gettext_noop("Toggle password visibility"),
    gettext_noop("Date"),
    gettext_noop("Edit"),
)
