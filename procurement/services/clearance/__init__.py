"""Stock that will not sell in time: found with every plan, priced by way out, decided by a planner."""

from procurement.services.clearance.deciding import accept_clearances, dismiss_clearances
from procurement.services.clearance.proposing import ClearanceCounts, propose_clearances

__all__ = ["ClearanceCounts", "accept_clearances", "dismiss_clearances", "propose_clearances"]
