"""The monitoring API: alerts, KPIs, jobs."""
