"""IS IT GOING WELL, and who must know?"""
