"""Taking in a shop's export (step 2 of the story, for the years before Entrepot): read, judge, write once."""

from warehouses.services.importing.service import import_sales
from warehouses.services.importing.summary import ImportSummary

__all__ = ["ImportSummary", "import_sales"]
