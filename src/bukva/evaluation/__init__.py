"""Scores with their uncertainty, comparisons, and figures: pure functions on tables and arrays.

Nothing here opens a path, knows a network or a tracking server.
"""
