"""WHEN, HOW MUCH and FROM WHOM do we buy?"""
