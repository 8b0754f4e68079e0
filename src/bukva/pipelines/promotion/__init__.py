"""From a packaged candidate to a registered version, and to production if it is good enough."""
