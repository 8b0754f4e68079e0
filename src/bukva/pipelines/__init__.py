"""The pipelines: each folder names inputs and outputs, and adapts our functions as nodes.

A pipeline imports no other; its nodes touch no file, environment, clock or network.
"""
