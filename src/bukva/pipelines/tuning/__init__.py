"""Searching for better parameters of `finetuning`."""
