"""What `atelier exercise check` says: one finding each, with what to do about it.

Used by the rules and by the command line. Knows nothing of exercises.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error stops publishing; a warning is the author's choice."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right."""

    rule: str
    where: str
    problem: str
    advice: str
    severity: Severity = Severity.ERROR

    def to_json(self) -> dict[str, str]:
        """Return the object that `atelier exercise check --json` prints."""
        return {
            "rule": self.rule,
            "where": self.where,
            "problem": self.problem,
            "advice": self.advice,
            "severity": self.severity.value,
        }
