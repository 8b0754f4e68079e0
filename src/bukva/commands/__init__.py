"""The commands of `python -m bukva`, one module a group. Heavy imports wait for the command."""
