"""Makes the access log of this exercise: two quiet days at an invented web shop, and one break-in.

For authors; learners never get it. `python generator.py` writes files/access.log (seed 71) and prints the shorter
log that the hidden checks use (seed 16). The same seed gives the same log; a test holds the exercise to it. All
addresses are from the ranges that are reserved for documentation.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0",
]
PAGES = ["/", "/products", "/products?page=2", "/products/17", "/products/42", "/cart", "/contact", "/style.css"]
BROKEN = ["", "-- log rotated --", "GET /products", "\\x16\\x03\\x01 bad handshake"]


@dataclass(frozen=True)
class Story:
    """What happens in one log: who breaks in, who only knocks, who forgot a password, what is stolen."""

    seed: int
    start: datetime
    visits: int
    attacker: str
    scanner: str
    forgetful: str
    admin: str
    tries: int
    stolen: str
    refused: tuple[str, ...]


VISIBLE = Story(
    seed=71, start=datetime(2025, 5, 12, 6, 0), visits=420, attacker="198.51.100.23", scanner="203.0.113.77",
    forgetful="192.0.2.14", admin="192.0.2.5", tries=27, stolen="/backup/customers-2025.csv",
    refused=("/backup/", "/backup/shop.sql", "/backup/invoices.zip"),
)
HIDDEN = Story(
    seed=16, start=datetime(2024, 11, 3, 20, 0), visits=12, attacker="203.0.113.140", scanner="198.51.100.9",
    forgetful="192.0.2.88", admin="192.0.2.61", tries=6, stolen="/backup/orders-old.zip?download=1",
    refused=("/backup/", "/backup/customers.csv"),
)

Event = tuple[datetime, str]


def log_line(when: datetime, address: str, request: str, status: int, size: int | None, agent: str) -> str:
    """Return one line in the combined log format, which most web servers write."""
    stamp = when.strftime("%d/%b/%Y:%H:%M:%S ") + ("+0200" if 4 <= when.month <= 10 else "+0100")
    return f'{address} - - [{stamp}] "{request} HTTP/1.1" {status} {"-" if size is None else size} "-" "{agent}"'


def log_lines(story: Story) -> list[str]:
    """Return the whole log, in the order of time, with a few broken lines in it."""
    chance = random.Random(story.seed)
    events = [*_visits(story, chance), *_staff(story, chance), *_scanner(story), *_attack(story, chance)]
    lines = [line for _, line in sorted(events, key=lambda event: event[0])]
    for broken in BROKEN:
        lines.insert(chance.randrange(len(lines)), broken)
    return lines


def _visits(story: Story, chance: random.Random) -> list[Event]:
    customers = [f"{block}.{chance.randint(2, 254)}" for block in ("192.0.2", "198.51.100", "203.0.113") for _ in range(9)]
    known = {story.attacker, story.scanner, story.forgetful, story.admin}
    customers = [address for address in customers if address not in known]
    events = []
    for _ in range(story.visits):
        when = story.start + timedelta(seconds=chance.randrange(48 * 3600))
        status, size = chance.choice([(200, chance.randint(400, 30000))] * 8 + [(304, None), (404, 153)])
        request = f"GET {chance.choice(PAGES)}"
        events.append((when, log_line(when, chance.choice(customers), request, status, size, chance.choice(AGENTS))))
    return events


def _staff(story: Story, chance: random.Random) -> list[Event]:
    """The forgetful colleague gets in at the third try; the admin makes and fetches backups, which is allowed."""
    morning = story.start + timedelta(hours=3)
    requests = [
        (story.forgetful, "POST /login", 401, 512), (story.forgetful, "POST /login", 401, 512),
        (story.forgetful, "POST /login", 302, None), (story.forgetful, "GET /admin/orders", 200, 8123),
        (story.admin, "POST /login", 302, None), (story.admin, "GET /backup/shop.sql", 200, 9_400_113),
        (story.admin, "GET /backup/full-site.zip", 200, 88_120_551),
        *[(story.admin, "POST /login", 401, 512)] * 6,
    ]
    times = [morning + timedelta(seconds=40 * number) for number in range(len(requests))]
    return [
        (when, log_line(when, address, request, status, size, chance.choice(AGENTS)))
        for when, (address, request, status, size) in zip(times, requests, strict=True)
    ]


def _scanner(story: Story) -> list[Event]:
    """A robot knocks more often than the attacker, and never gets in."""
    night = story.start + timedelta(hours=18)
    requests = ["GET /login", *["POST /login"] * (story.tries + 4), "GET /backup/customers.csv"]
    statuses = [401, *[401] * (story.tries + 4), 403]
    times = [night + timedelta(seconds=2 * number) for number in range(len(requests))]
    return [
        (when, log_line(when, story.scanner, request, status, 512, "python-requests/2.31"))
        for when, request, status in zip(times, requests, statuses, strict=True)
    ]


def _attack(story: Story, chance: random.Random) -> list[Event]:
    """Asks for the backup too early, tries passwords, gets in, looks around, takes one file."""
    night = story.start + timedelta(hours=21, minutes=14)
    requests = [
        (f"GET {story.stolen}", 403, 512), ("GET /login", 200, 2310),
        *[("POST /login", 401, 512)] * story.tries, ("POST /login", 302, None), ("GET /admin/orders", 200, 8123),
        *[(f"GET {path}", 403 if path.endswith("/") else 404, 153) for path in story.refused],
        (f"GET {story.stolen}", 200, chance.randint(400_000, 900_000)), ("GET /style.css", 200, 4100),
    ]
    times = [night + timedelta(seconds=3 * number) for number in range(len(requests))]
    return [
        (when, log_line(when, story.attacker, request, status, size, AGENTS[0]))
        for when, (request, status, size) in zip(times, requests, strict=True)
    ]


def visible_text() -> str:
    """Return the content of files/access.log."""
    return "\n".join(log_lines(VISIBLE)) + "\n"


def hidden_text() -> str:
    """Return the log that stands in the hidden checks."""
    return "\n".join(log_lines(HIDDEN)) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("files").joinpath("access.log").write_text(visible_text(), encoding="utf-8")
    print(hidden_text())
