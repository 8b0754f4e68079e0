"""Learning to see on digits, of which there are many."""
