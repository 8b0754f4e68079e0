"""Learning letters and digits, from the backbone that has seen digits."""
