"""An empty table says what to do next."""

import pytest
from django.contrib import admin

from config.kernel.admin import HouseAdmin
from tests.cast import make_user
from tests.kernel.test_export_admin import enter

OURS = [page for page in admin.site._registry.values() if isinstance(page, HouseAdmin)]


@pytest.mark.parametrize("page", OURS, ids=lambda page: page.model.__name__)
def test_every_list_has_a_hint(page: HouseAdmin) -> None:
    assert str(page.empty_hint).endswith(".")


def test_the_hint_is_shown_while_there_is_nothing(db: None) -> None:
    page = enter(make_user("pia", "Planner")).get("/admin/catalog/sku/").content.decode()

    assert "Import your sales: SKUs come with them. Or add them here." in page
