"""WHERE is it, and how does it move?"""
