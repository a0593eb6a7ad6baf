"""Policies put to the test: who tries which, what it did, how sure that is however often one looks, when to stop."""

from procurement.engine.experiments.assignment import Assignment, assign, strata_of
from procurement.engine.experiments.comparing import Comparison, compare_arms
from procurement.engine.experiments.corrections import Correction, correct_service
from procurement.engine.experiments.effects import Effect, evaluate_effect
from procurement.engine.experiments.sequential import AlwaysValid, always_valid, mixture_variance
from procurement.engine.experiments.verdicts import Look, Verdict, days_needed, judge

__all__ = [
    "AlwaysValid",
    "Assignment",
    "Comparison",
    "Correction",
    "Effect",
    "Look",
    "Verdict",
    "always_valid",
    "assign",
    "compare_arms",
    "correct_service",
    "days_needed",
    "evaluate_effect",
    "judge",
    "mixture_variance",
    "strata_of",
]
