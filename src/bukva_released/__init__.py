"""The released model: files only, outside of `bukva`, whose code travels with every packaged model.

Made by `python -m bukva release make`, checked and registered by `python -m bukva release install`.
"""
