"""JupyterHub's configuration file. The decisions are in hub/deploy/jupyterhub.py, the values in
hub/settings.py.
"""

from hub.deploy.jupyterhub import configure
from hub.settings import get_settings

configure(get_config(), get_settings())
