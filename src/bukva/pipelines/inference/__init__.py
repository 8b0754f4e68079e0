"""From encoded images to answers: what is packaged, and what serves."""
