"""The exchange's fixtures: see tests/doubles/exchange_seat.py."""

from tests.doubles.exchange_seat import api, notebook, seat, server

__all__ = ["api", "notebook", "seat", "server"]
