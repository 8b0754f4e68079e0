"""How one handwritten Latin letter or digit is read: the classic exercise, on EMNIST ByClass."""
