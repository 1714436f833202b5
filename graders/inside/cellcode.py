"""The source of a test cell: whether it does anything, where its exceptions come from, what may be told of them.

Used by the checker and by the guarded fork. Reads source and tracebacks, runs nothing.
"""

from __future__ import annotations

import ast
import io
import tokenize
import traceback
import types

FILE_NAME = "<test cell>"
_MAX_EVIDENCE = 8000


def has_statements(source: str) -> bool:
    """Whether a cell, as Python, holds anything that can fail: text and `pass` alone cannot."""
    return any(
        not isinstance(statement, ast.Pass)
        and not (isinstance(statement, ast.Expr) and _is_text(statement.value))
        for statement in ast.parse(source).body
    )


def _is_text(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Constant) and not isinstance(expression.value, (int, float, complex))


def ends_silent(source: str) -> bool:
    """Whether the last expression ends in a semicolon, which tells IPython to show no value."""
    skipped = {tokenize.ENDMARKER, tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.DEDENT}
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, IndentationError):
        return False
    last = next((token for token in reversed(tokens) if token.type not in skipped), None)
    return last is not None and last.string == ";"


def is_authors(error: BaseException) -> bool:
    """Whether the test's author wrote an exception's text: raised by a statement of the cell itself."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and is_cell_file(frames[-1].filename) and bool(error.args)


def is_cell_file(filename: str) -> bool:
    """Whether a code object's file name is a cell's."""
    return filename == FILE_NAME or "ipykernel_" in filename or filename.startswith("<ipython-input-")


def trace_of(error: BaseException) -> str:
    """Write an exception down for the trainer."""
    try:
        return "".join(traceback.format_exception(error, limit=-12))[-_MAX_EVIDENCE:]
    except Exception as failure:  # noqa: BLE001 - str() of an exception may itself fail
        return f"{type(error).__name__} (its text cannot be shown: {type(failure).__name__})"


def class_level_names(source: str) -> set[str]:
    """Return the names that class bodies of a cell read: CPython looks them up past a namespace's own methods."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            for part in ast.walk(node):
                if isinstance(part, ast.Name):
                    found.add(part.id)
    return found


def find_definition(sources: list[str], path: str) -> str | None:
    """Return the text of the last definition of a function, class or method (`Class.method`) in some cells."""
    for source in reversed(sources):
        try:
            tree: ast.AST = ast.parse(source)
        except SyntaxError:
            continue
        node: ast.AST | None = tree
        for name in path.split("."):
            node = _defined_in(node, name) if node is not None else None
        if node is not None:
            return _text_of(source, node)
    return None


def find_code(sources: list[str], path: str) -> types.CodeType | None:
    """Return the code of a function as it was submitted: compiled, never run."""
    text = find_definition(sources, path)
    if text is None:
        return None
    queue: list[types.CodeType] = [compile(text, FILE_NAME, "exec", dont_inherit=True)]
    while queue:
        code = queue.pop(0)
        if code.co_name in {path.rpartition(".")[2], "<lambda>"}:
            return code
        queue += [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return None


def _defined_in(parent: ast.AST, name: str) -> ast.AST | None:
    found: ast.AST | None = None
    for node in ast.walk(parent) if isinstance(parent, ast.Module) else getattr(parent, "body", []):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            found = node
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if name in names:
                found = node
    return found


def _text_of(source: str, node: ast.AST) -> str:
    first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])  # type: ignore[attr-defined]
    lines = source.splitlines(keepends=True)[first - 1 : node.end_lineno]  # type: ignore[attr-defined]
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    text = "".join(line[indent:] if line.strip() else line for line in lines)
    return text if text.endswith("\n") else text + "\n"
