"""Files that other programs write of transcribed pages: ALTO and PAGE XML."""
