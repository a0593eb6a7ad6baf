"""What else may explain demand, as arrays by series, forecast origin and window: the calendar, known-ahead and
past-only covariates, and the history itself. Every value is known at its origin (the leak test proves it).

    names, x = covariate_features(panel, origins, windows)        # x (n, O, W, p), NaN = unknown
    names, x = calendar_features(panel, origins, windows)         # x (O, W, p)
    names, x = history_features(clean(panel), origins)            # x (n, O, p)
"""

from forecasting.engine.features.calendar import calendar_features, paydays
from forecasting.engine.features.covariates import CATEGORY, covariate_features
from forecasting.engine.features.history import history_features

__all__ = ["CATEGORY", "calendar_features", "covariate_features", "history_features", "paydays"]
