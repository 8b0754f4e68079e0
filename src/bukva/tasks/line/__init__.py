"""The task `line`: what a line of handwriting says."""
