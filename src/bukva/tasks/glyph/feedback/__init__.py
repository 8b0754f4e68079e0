"""The corpus `feedback`: which of the corrections that people gave are learnt from."""
