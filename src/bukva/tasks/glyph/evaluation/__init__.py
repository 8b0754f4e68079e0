"""How well symbols are read: scores of a prediction table, with their intervals."""
