"""What monitoring writes: alerts, hourly figures, and the tidying of what nobody needs any more."""
