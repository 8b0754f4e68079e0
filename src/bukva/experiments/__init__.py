"""Experiments from a file: its runs, the processes that do them, and the table that compares them.

A run is an ordinary `kedro run` that keeps its results in a folder of its own and reads the data
that all runs share.
"""
