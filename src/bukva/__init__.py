"""bukva recognises handwriting, and makes the recognisers that do it."""

__version__ = "0.1.0"
