"""`python3 -m hub.deploy.setup up|down|test|check|images`: what the Makefile calls.

Parses on any Python 3, so that an old one gets a sentence and not a stack of syntax errors.
"""

import sys


def main() -> int:
    """Check the Python that runs us, then hand over to the recipes."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- said to people whose python3 is older than pyproject.toml allows
        found = f"{sys.version_info[0]}.{sys.version_info[1]}"
        print(f"Atelier needs Python 3.11 or newer; {sys.executable} is {found}.")
        print("What to do: use Debian 12 or Ubuntu 24.04, or point to a newer one: make up PYTHON=python3.12")
        return 2
    from hub.deploy.setup.recipes import run_recipe

    return run_recipe(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
