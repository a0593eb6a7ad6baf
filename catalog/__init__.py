"""WHAT do we trade, and through which channels?"""
