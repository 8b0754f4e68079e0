"""What a request has to pass before it is read."""
