"""The forecasting API: demand, runs, forecasts, predictions."""
