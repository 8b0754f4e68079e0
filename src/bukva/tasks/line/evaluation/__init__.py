"""How well lines are read: error rates, where they come from, and whether confidences are true."""
