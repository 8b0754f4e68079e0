"""All servers that bukva needs, as plain processes on this machine; their backup and restore."""
