"""Networks by task and name; nothing here opens a path or knows a loss."""
