"""The supplier's pages: their orders, their answers (step 11 of the story)."""
