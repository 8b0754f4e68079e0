"""From an image file to pixels, and from a page to ink."""
