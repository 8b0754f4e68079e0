"""How one handwritten letter or digit is read, from image to answer, and how that is learnt."""
