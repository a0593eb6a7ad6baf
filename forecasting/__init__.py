"""HOW MUCH will be asked for?"""
