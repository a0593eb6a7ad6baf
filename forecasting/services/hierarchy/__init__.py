"""What a run says above and below SKU × warehouse: its channels, its categories, warehouses and the total.

Called by the run: `save_channels` in the transaction of every chunk; when all chunks are saved `reconcile_run`, which
lets higher levels lead where the rules say so, then `save_levels`, each once.
"""

from forecasting.services.hierarchy.channels import save_channels
from forecasting.services.hierarchy.coherence import reconcile_run
from forecasting.services.hierarchy.levels import save_levels

__all__ = ["reconcile_run", "save_channels", "save_levels"]
