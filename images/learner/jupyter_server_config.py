"""JupyterLab's server in a learner's or trainer's container. Lies in /etc/jupyter; who runs it decides the extensions."""

from hub.exchange.wiring import configure_server

configure_server(get_config())
