"""The review: a page on this machine, on which a person decides what doubtful drawings show."""
