"""The alphabets in which corpora name what their images show."""

from string import ascii_lowercase, ascii_uppercase
from typing import Final

DIGITS: Final = "0123456789"
UKRAINIAN: Final = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"
BYCLASS: Final = DIGITS + ascii_uppercase + ascii_lowercase
"""The 62 classes of EMNIST ByClass, in the order of its labels."""
