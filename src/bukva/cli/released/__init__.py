"""The released model: making it of a finished run, checking it, registering it on a fresh clone."""
