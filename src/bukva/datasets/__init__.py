"""Kedro I/O through fsspec, so that local disk and S3 are one code path. No image logic."""
