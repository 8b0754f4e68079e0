"""Measuring the targets that one run of `evaluation` does not measure, and the table of all."""
