"""Corrections: stored before they are acknowledged, delivered in the background."""
