"""From the trained model to a packaged one."""
