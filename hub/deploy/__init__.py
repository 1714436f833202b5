"""The glue between Atelier and JupyterHub: spawner, container options, networks, profiles, authenticator."""
