"""What an author may write in exercise.yml and in answers/<name>/expected.yml, as a schema.

Called by `hub.courses.exercise`. Knows YAML and what the fields mean; knows nothing of notebooks, folders on
the server, the database or HTTP. Everything is optional but the title's English text, so that a plain
nbgrader folder needs no sheet at all; that all three languages are there is a rule of
`hub.courses.exercise_check`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from graders.results import Limits
from hub.errors import InvalidExerciseError

Language = Literal["en", "fr", "nl"]
LANGUAGES: tuple[Language, ...] = ("en", "fr", "nl")
MAX_SHEET_BYTES = 256 * 1024

Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
_Model = TypeVar("_Model", bound=BaseModel)
PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LocalText(_Strict):
    """One text in the platform's languages; a plain string stands for its English alone."""

    en: Prose
    fr: Prose | None = None
    nl: Prose | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_string_is_english(cls, value: Any) -> Any:
        return {"en": value} if isinstance(value, str) else value

    def text(self, language: str) -> str:
        """Return the text in `language`, or in English where that is missing."""
        return {"fr": self.fr, "nl": self.nl}.get(language) or self.en

    def missing(self) -> tuple[Language, ...]:
        """Return the languages that the author still has to write."""
        return tuple(language for language in LANGUAGES if getattr(self, language) is None)


class Translation(_Strict):
    """French and Dutch of an English text that stands in a notebook or a starter file."""

    fr: Prose | None = None
    nl: Prose | None = None

    def text(self, language: str) -> str | None:
        """Return the text in `language`, or None where there is none."""
        return {"fr": self.fr, "nl": self.nl}.get(language)


class Skill(_Strict):
    """A skill that the exercise trains, by the European e-Competence Framework, by ESCO, or by both."""

    label: LocalText
    ecf: str | None = Field(default=None, pattern=r"^[A-E]\.([1-9]|1[0-9])$")
    esco: str | None = Field(
        default=None,
        pattern=r"^http://data\.europa\.eu/esco/skill/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    )


class Hint(_Strict):
    """One step of help; the learner opens the steps of a task one after the other."""

    task: str | None = None  # grade_id of the task it helps with; None: the whole exercise
    text: LocalText


class FeedbackRelease(StrEnum):
    """When a learner sees the feedback on a graded submission."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class LateWork(StrEnum):
    """What happens to a submission after the deadline."""

    ACCEPTED = "accepted"  # and marked as late
    CLOSED = "closed"


class LimitsSheet(_Strict):
    """Limits of the grading sandbox in an author's units. None: the platform's default.

    Seconds and megabytes. The upper bounds keep every run under the 120 s that the platform promises.
    """

    wall_s: float | None = Field(default=None, gt=0, le=100)
    cell_s: float | None = Field(default=None, gt=0, le=60)
    cpu_s: float | None = Field(default=None, gt=0, le=100)
    memory_mb: int | None = Field(default=None, ge=128, le=2048)

    def limits(self, default: Limits | None = None) -> Limits:
        """Return the platform's limits with this sheet's values in their place."""
        base = default or Limits()
        return Limits(
            wall_s=self.wall_s or base.wall_s,
            cell_s=self.cell_s or base.cell_s,
            cpu_s=self.cpu_s or base.cpu_s,
            memory_bytes=self.memory_mb * 1024 * 1024 if self.memory_mb else base.memory_bytes,
            pids=base.pids,
            disk_bytes=base.disk_bytes,
            inodes=base.inodes,
            output_bytes=base.output_bytes,
            open_files=base.open_files,
        )


class ExerciseSheet(_Strict):
    """The content of exercise.yml."""

    title: LocalText
    summary: LocalText | None = None
    level: int = Field(default=1, ge=1, le=3)
    minutes: int = Field(default=30, ge=1, le=600)
    profile: str = Field(default="base", pattern=r"^[a-z][a-z0-9-]{0,30}$")
    skills: tuple[Skill, ...] = ()
    limits: LimitsSheet = LimitsSheet()
    feedback: FeedbackRelease = FeedbackRelease.AUTOMATIC
    late: LateWork = LateWork.ACCEPTED
    edits: tuple[
        str, ...
    ] = ()  # files that the learner changes; every other file is restored from the source
    hints: tuple[Hint, ...] = ()
    messages: dict[str, Translation] = Field(default_factory=dict)
    comments: dict[str, Translation] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _translations_keep_placeholders(self) -> ExerciseSheet:
        for english, translation in self.messages.items():
            wanted = set(PLACEHOLDER.findall(english))
            for language in ("fr", "nl"):
                text = translation.text(language)
                if text is not None and set(PLACEHOLDER.findall(text)) != wanted:
                    names = ", ".join(sorted(f"{{{name}}}" for name in wanted)) or "no places in braces"
                    raise ValueError(f"messages: the {language} text of {english!r} must use exactly {names}")
        return self


class Expected(_Strict):
    """The content of answers/<name>/expected.yml: what the pipeline must give for this answer."""

    score: float | None = Field(default=None, ge=0)
    cells: dict[str, float] = Field(
        default_factory=dict
    )  # grade_id -> points, where the author wants them fixed
    mistake: Prose | None = None  # what a learner who hands this in has misunderstood


class _SheetLoader(yaml.SafeLoader):
    """YAML without aliases (they can blow a small file up) and without a key given twice (one would be
    lost).
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "aliases (*name) are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def invalid(file: str, key: str, problem: str) -> InvalidExerciseError:
    """Return the error that names the file, the key in it and what is wrong there."""
    return InvalidExerciseError("%(file)s: %(key)s: %(problem)s", file=file, key=key, problem=problem)


def parse_sheet(text: str, file: str = "exercise.yml") -> ExerciseSheet:
    """Read exercise.yml.

    Raises:
        InvalidExerciseError: naming the file, the key and what to write there.
    """
    return _validated(ExerciseSheet, text, file)


def parse_expected(text: str, file: str) -> Expected:
    """Read answers/<name>/expected.yml; same errors as `parse_sheet`."""
    return _validated(Expected, text, file)


def _validated(model: type[_Model], text: str, file: str) -> _Model:
    if len(text.encode()) > MAX_SHEET_BYTES:
        raise invalid(file, "size", f"the file is larger than {MAX_SHEET_BYTES // 1024} kB")
    try:
        data = yaml.load(text, Loader=_SheetLoader)  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else "the file"
        raise invalid(file, line, error.problem or "this is not YAML") from error
    except yaml.YAMLError as error:
        raise invalid(file, "the file", "this is not YAML") from error
    if not isinstance(data, Mapping):
        raise invalid(file, "the file", "write keys and values, such as `title:`")
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        problems = [(".".join(str(part) for part in item["loc"]), item["msg"]) for item in error.errors()]
        key, problem = problems[0]
        others = "".join(f"; {other}: {text}" for other, text in problems[1:])
        raise invalid(file, key or "the file", problem.removeprefix("Value error, ") + others) from error
