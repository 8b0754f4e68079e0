"""Experiments from a file: its runs are done by workers, and one table compares them.

A run is an ordinary `kedro run` that keeps its results in a folder of its own and reads the data
that all runs share.
"""
