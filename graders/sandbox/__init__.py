"""The only code that talks to the container runtime."""
