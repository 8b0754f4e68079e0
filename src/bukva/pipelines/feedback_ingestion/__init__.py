"""From stored corrections to the corpus `feedback`, and what a person has to look at."""
