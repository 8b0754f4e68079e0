"""Measuring both models on their test samples."""
