"""Graphs that several pipelines reuse, as builders that take a namespace."""
