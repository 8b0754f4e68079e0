"""Figures of trainings and searches, and the style of all figures."""
