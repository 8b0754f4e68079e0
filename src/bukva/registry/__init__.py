"""MLflow I/O: package, find, register, promote. Never called from the core rooms."""
