"""The task `document`: handwriting told from print, from lines to a promoted model."""
