"""From many images to a table of predictions, by chunks that are done once."""
