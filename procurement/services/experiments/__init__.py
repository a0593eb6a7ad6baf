"""Experiments: champion and challenger on live stock, looked at every day, stopped when there is harm or a verdict."""

from procurement.services.experiments.ending import adopt_challenger, stop_experiment
from procurement.services.experiments.looking import look_at_experiment, look_at_experiments
from procurement.services.experiments.previewing import Preview, preview_experiment
from procurement.services.experiments.starting import challenger_changes, create_experiment, start_experiment

__all__ = [
    "Preview",
    "adopt_challenger",
    "challenger_changes",
    "create_experiment",
    "look_at_experiment",
    "look_at_experiments",
    "preview_experiment",
    "start_experiment",
    "stop_experiment",
]
