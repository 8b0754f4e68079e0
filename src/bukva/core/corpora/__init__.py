"""Readers of corpora: contents of files in, labelled images out."""
