"""Formats, preprocessing, augmentation, splits: pure functions on bytes and arrays.

Nothing here opens a path, knows a network or a loss.
"""
