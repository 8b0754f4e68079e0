"""Figures for reports: each function returns a `Figure` of its own and touches no global state."""
