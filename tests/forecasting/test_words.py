"""Every code that the engine can answer with has a name on the screens, and most of them a meaning."""

from forecasting.engine.classify import CLASSES
from forecasting.engine.fallbacks import METHOD
from forecasting.engine.methods import WORDS
from forecasting.engine.methods.registry import FORECASTERS
from forecasting.words import DEMAND_CLASSES, MEANINGS, METHODS, method_meaning, method_name


def test_every_method_has_a_name_and_a_meaning() -> None:
    assert set(METHODS) == set(MEANINGS) == {*WORDS, *METHOD.values(), *FORECASTERS}


def test_every_demand_class_has_a_name() -> None:
    assert set(DEMAND_CLASSES) == set(CLASSES)


def test_an_unknown_method_is_shown_as_it_is() -> None:
    assert (method_name("oracle"), method_meaning("oracle")) == ("oracle", "")
