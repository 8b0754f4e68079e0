"""The model that answers: found by its alias, checked, tried, called, and watched."""
