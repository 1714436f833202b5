"""Makes the dirty table of this exercise: counts of bikes at invented counting posts in Brussels.

For authors; learners never get it. `python generator.py` writes files/bike_counts.csv (seed 2025) and prints the
table that the hidden checks use (seed 1986) with what a right answer makes of it. The same seed gives the same
table; a test holds the exercise to it.
"""

from __future__ import annotations

import csv
import io
import random
from datetime import date, timedelta
from pathlib import Path

COLUMNS = ["post", "date", "bikes", "rain_mm"]
POSTS = ["Canal Nord", "Gare Midi", "Parc Royal", "Place Flagey", "Porte Ninove", "Rue Haute"]
VISIBLE = {"seed": 2025, "first_day": date(2025, 3, 1), "days": 30}
HIDDEN = {"seed": 1986, "first_day": date(2024, 10, 9), "days": 5}

Row = tuple[str, str, float | None, float | None]


def clean_rows(seed: int, first_day: date, days: int) -> list[Row]:
    """Return the true table, by day and post: what came out of the counters, before people typed it over."""
    chance = random.Random(seed)
    level = {post: chance.randint(300, 1600) for post in POSTS}
    rows: list[Row] = []
    for number in range(days):
        rain = chance.choice([0.0, 0.0, 0.0, 0.4, 1.5, 2.4, 6.8, 11.2])
        for post in POSTS:
            bikes = round(level[post] * chance.uniform(0.8, 1.2) * (1 - min(rain, 8) / 16))
            day = (first_day + timedelta(days=number)).isoformat()
            rows.append((post, day, None if chance.random() < 0.06 else float(bikes), None if chance.random() < 0.08 else rain))
    return rows


def dirty_rows(rows: list[Row], seed: int) -> list[list[str]]:
    """Return the rows as people typed them: spaces, capitals, two kinds of dates, commas, gaps, double rows."""
    chance = random.Random(seed + 1)
    typed = [_typed(row, chance) for row in rows]
    typed += [_typed(row, chance) for row in chance.sample(rows, max(2, len(rows) // 12))]
    typed += [list(row) for row in chance.sample(typed, max(1, len(rows) // 20))]
    chance.shuffle(typed)
    return typed


def _typed(row: Row, chance: random.Random) -> list[str]:
    post, day, bikes, rain = row
    name = chance.choice([post, post, post, post.upper(), post.lower(), f" {post}", f"{post}  ", post.replace(" ", "  ")])
    year, month, number = day.split("-")
    when = chance.choice([day, day, f"{number}/{month}/{year}", f"{int(number)}/{int(month)}/{year}"])
    gap = chance.choice(["", "n/a", "-"])
    count = gap if bikes is None else chance.choice([f"{bikes:.0f}", f"{bikes:,.0f}".replace(",", " "), f" {bikes:.0f}"])
    water = gap if rain is None else chance.choice([f"{rain:.1f}", f"{rain:.1f}".replace(".", ","), f"{rain:g}".replace(".", ",")])
    return [name, when, count, water]


def table_text(rows: list[list[str]], separator: str) -> str:
    """Return rows as a CSV text with a line of column names."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    return text.getvalue()


def visible_text() -> str:
    """Return the content of files/bike_counts.csv."""
    return table_text(dirty_rows(clean_rows(**VISIBLE), VISIBLE["seed"]), ",")


def hidden_text() -> str:
    """Return the dirty table that stands in the hidden checks."""
    return table_text(dirty_rows(clean_rows(**HIDDEN), HIDDEN["seed"]), ";")


def hidden_answer() -> str:
    """Return what a right answer makes of it: one line a row, a dash for a gap."""
    kept = [row for row in clean_rows(**HIDDEN) if row[2] is not None]
    return "".join(f"{post};{day};{bikes:g};{'-' if rain is None else f'{rain:g}'}\n" for post, day, bikes, rain in kept)


if __name__ == "__main__":
    Path(__file__).with_name("files").joinpath("bike_counts.csv").write_text(visible_text(), encoding="utf-8")
    print(hidden_text(), hidden_answer(), sep="\n")
