"""What writes demand, runs and forecasts."""
