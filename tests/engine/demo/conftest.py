"""One demo company for all tests of the generator; building it takes about a second."""

from datetime import date

import pytest

from procurement.demo.world import DemoWorld, generate


@pytest.fixture(scope="package")
def demo() -> DemoWorld:
    return generate(7, date(2026, 11, 22))
