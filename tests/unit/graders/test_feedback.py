"""The feedback page: what is on it, what never is, and in which language."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup

from graders.sandbox.job import Role
from tests.doubles.notebooks import HIDDEN, RIGHT, WRONG, answer, cell, exercise, write
from tests.doubles.sandbox import ScriptedSandbox, done, everything_passes, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from graders.sandbox.job import SandboxJob


def page(result: Any, name: str = "double") -> BeautifulSoup:
    return BeautifulSoup(result.feedback[f"{name}.html"], "html5lib")


def showing(*outputs: dict[str, Any], **changes: Any) -> Callable[[SandboxJob], Iterator[dict[str, Any]]]:
    """Return a script in which the answer shows these outputs and the check gives this verdict."""

    def script(job: SandboxJob) -> Iterator[dict[str, Any]]:
        for entry in job.notebooks[0].cells:
            if entry.role is Role.TEST:
                yield verdict("double", entry, **changes)
            elif entry.grade_id == "double":
                yield {
                    "kind": "cell",
                    "notebook": "double",
                    "index": entry.index,
                    "outputs": list(outputs),
                    "status": "ok",
                }
        yield done()

    return script


def text(value: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": value}


def test_it_opens_with_what_went_well_and_one_next_step(grade_answer: Any) -> None:
    tree = page(
        grade_answer(sandbox=ScriptedSandbox(showing(status="failed", message="double(2) must be 4")))
    )
    headings = [heading.text for heading in tree.find_all("h2")]
    assert headings[:3] == ["What went well", "Do this next", "All checks"]
    assert "double(2) must be 4" in tree.find_all("h2")[1].find_next("p").text
    assert tree.find("p", class_="score").text == "0 of 2 points"


@pytest.mark.parametrize(
    ("language", "heading"), [("en", "What went well"), ("fr", "Ce qui est réussi"), ("nl", "Wat goed ging")]
)
def test_our_words_are_in_the_learners_language(grade_answer: Any, language: str, heading: str) -> None:
    tree = page(grade_answer(language=language))
    assert tree.html is not None
    assert tree.html["lang"] == language
    assert tree.find("h2").text == heading


def test_the_authors_texts_are_translated(grade_answer: Any, source_dir: Path) -> None:
    book = exercise(cell("Well *done*", kind="markdown", atelier={"i18n": {"fr": ["Bien ", "*joué*"]}}))
    write(source_dir, {"double": book})
    shown = answer(RIGHT, cell("Bien *joué*", kind="markdown"))
    assert "Well done" in page(grade_answer(answer(RIGHT, cell("Well *done*", kind="markdown")))).text
    assert "joué" in page(grade_answer(shown, language="fr")).text


def test_hidden_tests_are_not_on_it(grade_answer: Any) -> None:
    leaks = [
        text(f"it is {HIDDEN} !"),
        {"output_type": "display_data", "data": {"text/html": f"<b>{HIDDEN}</b>"}},
    ]
    result = grade_answer(
        sandbox=ScriptedSandbox(showing(*leaks, status="failed", message=HIDDEN, evidence=HIDDEN))
    )
    shown = page(result).text
    assert "double(21)" not in shown
    assert "HIDDEN TESTS" not in shown
    assert "assert double(2) == 4" in shown
    assert "[hidden]" in shown
    assert "This check also has a hidden part." in shown


def test_what_a_hidden_check_prints_is_not_on_it(grade_answer: Any) -> None:
    result = grade_answer(sandbox=ScriptedSandbox(showing(status="failed", outputs=[text("expected 42")])))
    assert "expected 42" not in page(result).text


def test_it_is_a_whole_and_accessible_page(grade_answer: Any) -> None:
    tree = page(grade_answer())
    assert tree.title is not None
    assert tree.title.text == "Feedback: double"
    assert len(tree.find_all("h1")) == 1
    assert tree.find("main") is not None
    levels = [int(tag.name[1]) for tag in tree.find_all(["h1", "h2", "h3"])]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert tree.find("h3", string="Double") is not None
    assert all(head.get("scope") for head in tree.find_all("th"))
    assert all(image.get("alt") for image in tree.find_all("img"))
    targets = {link["href"].removeprefix("#") for link in tree.find_all("a")}
    assert targets <= {tag["id"] for tag in tree.find_all(id=True)}


def test_it_needs_nothing_from_elsewhere(grade_answer: Any) -> None:
    raw = grade_answer().feedback["double.html"].decode()
    assert "Content-Security-Policy" in raw
    assert "default-src 'none'" in raw
    assert "http://" not in raw.replace("http-equiv", "")
    assert "https://" not in raw
    assert "<script" not in raw


def test_pictures_beside_the_notebook_are_put_into_the_page(grade_answer: Any, source_dir: Path) -> None:
    import base64

    from tests.unit.graders.test_clean import png

    book = exercise(cell("![a plot](plot.png) ![far](https://x.example/y.png)", kind="markdown"))
    write(source_dir, {"double": book}, {"plot.png": base64.b64decode(png())})
    submitted = answer(RIGHT, cell("![a plot](plot.png) ![far](https://x.example/y.png)", kind="markdown"))
    images = page(grade_answer(submitted)).find_all("img")
    assert [image.get("src", "")[:22] for image in images] == ["data:image/png;base64,", ""]


def test_a_page_that_grows_too_large_leaves_outputs_out(
    grade_answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.feedback.MAX_PAGE_BYTES", 8_000)
    result = grade_answer(sandbox=ScriptedSandbox(showing(text("long " * 3_000))))
    assert "long long" not in page(result).text


def test_an_unlocked_cell_that_was_changed_is_shown_once(grade_answer: Any) -> None:
    submitted = answer(WRONG)
    submitted["cells"][1]["source"] = "start = 99"
    shown = page(grade_answer(submitted)).text
    assert "start = 99" in shown
    assert "start = 1\n" not in shown


def test_a_script_in_a_name_or_a_message_is_text(grade_answer: Any) -> None:
    evil = "<script>alert(1)</script>"
    result = grade_answer(
        sandbox=ScriptedSandbox(showing(status="failed", message=evil)), files={"a.ipynb": b"{}"}
    )
    assert evil in page(result).text
    assert not page(result).find_all("script")


def test_formgraders_copy_is_harmless_and_says_why(grade_answer: Any) -> None:
    import json

    evil = {"output_type": "display_data", "data": {"text/html": "<script>1</script><b>x</b>"}}
    result = grade_answer(sandbox=ScriptedSandbox(showing(evil, status="failed", evidence="line 3 failed")))
    copied = json.loads(result.autograded["double.ipynb"])
    assert "<script" not in str(copied)
    assert "line 3 failed" in str(copied["cells"][3]["outputs"])
    assert copied["cells"][3]["metadata"]["nbgrader"]["grade_id"] == "double-check"
    import nbformat

    nbformat.validate(nbformat.from_dict(copied))


def test_everything_passing_leads_on(grade_answer: Any) -> None:
    assert "Go on to the next exercise" in page(grade_answer(sandbox=ScriptedSandbox(everything_passes))).text
