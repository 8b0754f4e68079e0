"""Whether a picture of text is handwritten, printed, both or blank, and which parts of it are."""
