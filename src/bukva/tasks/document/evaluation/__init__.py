"""How well handwriting is told from print, and whether it is the writing that is looked at."""
