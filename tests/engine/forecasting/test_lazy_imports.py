"""What a web process loads for its first nowcast."""

import subprocess
import sys

import pytest

import forecasting.engine

HEAVY = ("numba", "lightgbm", "statsmodels", "pandas")


@pytest.mark.parametrize("room", ["nowcast", "recommending"])
def test_looking_at_the_present_loads_no_compiled_kernels(room: str) -> None:
    script = f"import sys, forecasting.engine.{room}; print([n for n in {HEAVY!r} if n in sys.modules])"

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_every_name_of_the_door_is_there() -> None:
    from forecasting.engine import forecast, types, update

    homes = (forecast, types, update)

    for name in forecasting.engine.__all__:
        assert any(getattr(forecasting.engine, name) is getattr(home, name, None) for home in homes)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        forecasting.engine.nothing  # noqa: B018
