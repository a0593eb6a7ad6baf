"""What a run says above and below SKU × warehouse: its channels, its categories, warehouses and the total.

Called by the run: `save_channels`, then `gathered`, in the transaction of every chunk; when all chunks are saved
`reconcile_run`, which lets higher levels lead where the rules say so, then `add_up_levels` (or `save_levels`, from the
saved forecasts, where they were moved), each once.
"""

from forecasting.services.hierarchy.channels import save_channels
from forecasting.services.hierarchy.coherence import reconcile_run
from forecasting.services.hierarchy.levels import add_up_levels, save_levels
from forecasting.services.hierarchy.papers import forget_sums, gathered

__all__ = ["add_up_levels", "forget_sums", "gathered", "reconcile_run", "save_channels", "save_levels"]
