"""The task `line`: what a line of handwriting says, from lines to a promoted model."""
