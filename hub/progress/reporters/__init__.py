"""Report channels, one file each; outside packages add more through the entry point `atelier.reporters`."""
