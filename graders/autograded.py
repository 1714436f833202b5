"""The graded notebook that formgrader shows to a trainer: a file of nbgrader's autograded/ folder.

Called by the pipeline, after scoring. The cells are the assembled ones; outputs are cleaned, and a check's end
with the checker's word. It must not know how points were made.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graders.clean import clean_output
from graders.sanitise import TAKEN

if TYPE_CHECKING:
    from graders.results import NotebookResult
    from graders.sandbox.job import SandboxRun
    from graders.sanitise import Assembled, Cell
    from graders.source import SourceNotebook


def autograded_notebook(
    notebook: SourceNotebook, assembled: Assembled, result: NotebookResult, run: SandboxRun
) -> bytes:
    """Return the notebook's file."""
    outputs = {cell.index: cell.outputs for cell in run.cells if cell.notebook == notebook.name}
    judged = {cell.grade_id: cell for cell in result.cells}
    cells = []
    for index, cell in enumerate(assembled.cells):
        if not cell.shown:
            continue
        node = _cell(index, cell)
        if cell.cell_type == "code":
            node["outputs"] = [_plain(output) for output in outputs.get(index, ())]
            word = judged.get(cell.grade_id or "")
            if word is not None and cell.origin and cell.origin.kind not in TAKEN:
                said = "\n".join([word.verdict.value, *word.messages, word.evidence or ""]).strip()
                node["outputs"].append(_stream("stdout", said + "\n"))
        cells.append(node)
    metadata = {"kernelspec": notebook.kernelspec} if notebook.kernelspec else {}
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    return json.dumps(made, ensure_ascii=False, indent=1).encode()


def _cell(index: int, cell: Cell) -> dict[str, Any]:
    metadata = {"nbgrader": dict(cell.origin.metadata)} if cell.origin and cell.origin.metadata else {}
    node = {"id": f"cell-{index}", "cell_type": cell.cell_type, "metadata": metadata, "source": cell.text}
    return node | {"outputs": [], "execution_count": None} if cell.cell_type == "code" else node


def _plain(output: dict[str, Any]) -> dict[str, Any]:
    """Return a cleaned output in a form that any viewer shows without risk."""
    shown = clean_output(output, (), "")
    if shown["kind"] == "html":
        return _display("text/html", shown["html"])
    if shown["kind"] == "image":
        kind, _, data = shown["uri"].removeprefix("data:").partition(";base64,")
        return _display(kind, data)
    text = shown.get("text") or f"({shown.get('name')})"
    return _stream("stderr" if shown["kind"] == "error" else "stdout", text)


def _display(kind: str, data: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {kind: data, "text/plain": ""}, "metadata": {}}


def _stream(name: str, text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}
