"""One page about a run that a person can send: everything that was measured, in a single file."""
