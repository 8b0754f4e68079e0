"""The task `character`: EMNIST's digits and Latin letters, from raw files to a promoted model."""
