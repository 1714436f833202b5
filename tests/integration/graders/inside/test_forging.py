"""Submissions that forge their score from inside the interpreter (PLATFORMS.md, B): none gets a point."""

# ruff: noqa: E501 - the cells read best as their authors would write them
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doubles.inside import Frame, Run, check, given, learner, local_command, run_cells, submit

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

SOURCE = [
    given("import math"),
    learner("answer", "def square(n):\n    return n * n\n\nscores = [1, 4, 9]\nbest = 25\nname = 'Ada'"),
    check(
        "check",
        "assert square(3) == 9\nassert square(-4) == 16\nassert isinstance(square(2), int)\n"
        "assert scores == [1, 4, 9]\nassert abs(best - 25) < 1e-9\nassert name in ('Ada',)\n"
        "assert all(square(n) == n * n for n in range(5))\n'SECRETCANARY'; None",
    ),
    check("partial", "points = sum(square(n) == n * n for n in range(1, 5))\npoints / 2", points=2),
]
WRONG = "def square(n):\n    return 0\nscores = best = name = 0\n"

ATTACKS: dict[str, str] = {
    "B01": """
def publish(*a):
    ip.displayhook(2.0)
    ip.display_pub.publish({'text/plain': '2.0'})
ip = get_ipython()
ip.events.register('pre_run_cell', publish)
""",
    "B02": "import sys\ndef square(n):\n    sys.displayhook(2.0)\n    return 0",
    "B03": """
import ast
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Strip())
""",
    "B04": "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])",
    "B05": """
from IPython.core.interactiveshell import InteractiveShell
from graders.inside.shell import Shell
def run(self, *a, **k):
    class R: success = True; error_in_exec = error_before_exec = None; result = 2.0
    return R()
InteractiveShell.run_cell = Shell.run_cell = run
""",
    "B07": """
class Same:
    def __eq__(self, other): return True
    __ne__ = lambda self, other: False
    def __hash__(self): return 9
def square(n): return Same()
scores = best = name = Same()
""",
    "B08": """
class E(int):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    def __hash__(self): return 9
def square(n): return E(0)
best = E(1)
class S(str):
    def __eq__(self, other): return True
    def __hash__(self): return 9
class L(list):
    def __eq__(self, other): return True
scores, name = L(), S('x')
""",
    "B09": """
class Any:
    def __getattr__(self, name): return lambda *a, **k: True
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda self, other: True
    __bool__ = lambda self: True
    __abs__ = __neg__ = lambda self: 0
    __sub__ = __rsub__ = __add__ = __radd__ = __truediv__ = lambda self, other: 0
    __iter__ = lambda self: iter([])
    __array_ufunc__ = lambda self, *a, **k: True
    __hash__ = lambda self: 9
    __class__ = int
    __len__ = lambda self: 3
def square(n): return Any()
scores = best = name = Any()
""",
    "B10": "import IPython.core.interactiveshell as i\ni.InteractiveShell.showtraceback = lambda *a, **k: None",
    "B11": "get_ipython().set_custom_exc((AssertionError,), lambda *a, **k: None)",
    "B12": "import builtins\nclass Other(Exception): pass\nbuiltins.AssertionError = Other",
    "B13": """
import builtins
builtins.isinstance = lambda *a: True
builtins.abs = lambda *a: 0
builtins.all = lambda *a: True
builtins.len = lambda *a: 3
""",
    "B14": "import math, unittest\nmath.isclose = lambda *a, **k: True\nunittest.TestCase.assertEqual = lambda *a, **k: None",
    "B15": """
for name in ('numpy', 'pytest', 'json', 'random', 'math', 'sitecustomize', 'graders', '__init__', 'secrets'):
    open(name + '.py', 'w').write('import os; os._exit(0)')
""",
    "B17": "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\nsys.addaudithook(lambda *a: None)",
    "B18": """
import sys, types
for name in ('graders.inside.judging', 'graders.inside.checker', '__main__'):
    sys.modules[name] = types.ModuleType(name)
""",
    "B19": """
import gc
for thing in gc.get_objects():
    if isinstance(thing, dict) and 'credit' in thing: thing['credit'] = 1.0
""",
    "B20": """
import ctypes
ctypes.memmove(id(0) + 24, id(9) + 24, 4)
""",
    "B21": """
import inspect, sys
def square(n):
    frame = sys._getframe()
    while frame:
        for value in frame.f_locals.values():
            if isinstance(value, int) and value > 1: return value
        frame = frame.f_back
    return 0
""",
    "B22": "calls = iter([9])\ndef square(n): return next(calls, 0)",
    "B24": "import atexit, weakref\nclass D:\n    def __del__(self): print('credit')\natexit.register(print, 'x')\nd = D()",
    "B25": """
import threading, glob, time, os
def hunt():
    while True:
        for path in glob.glob('/tmp/**/checker-*', recursive=True):
            try: open(path + '/x', 'w')
            except OSError: pass
        time.sleep(0.01)
threading.Thread(target=hunt, daemon=True).start()
""",
    "B26a": "import os\nos._exit(0)",
    "B26b": "import os\ndef square(n): os._exit(0)",
    "B27a": "import sys\ndef square(n): sys.exit(0)",
    "B27b": "def square(n): raise GeneratorExit",
    "B27c": "def square(n): raise KeyboardInterrupt",
    "B27d": "def square(n): raise StopIteration",
    "B29a": "get_ipython().kernel.do_shutdown(True)",
    "B29b": "%reset -f",
    "B29c": "exit",
    "B30": "def assert_equal(a, b): pass\nimport os\nos.environ['PYTHONOPTIMIZE'] = '2'",
    "B31": "%%script true\nexit 1",
    "B32": "import asyncio\nasyncio.run = lambda *a: None\nasyncio.new_event_loop().close()",
    "C01": 'print(\'{"scores": {"check": 100}}\')\nimport os\nos.write(1, b\'{"credit": 1}\')',
    "C09": """
import os, struct, json
body = json.dumps({'n': '0' * 16, 'value': 9, 'states': []}).encode()
def square(n):
    os.write(3, struct.pack('>I', len(body)) + body)
    return 0
""",
    "C10": 'import os\nfor fd in range(1, 64):\n    try: os.write(fd, b\'{"kind": "verdict", "credit": 1}\')\n    except OSError: pass',
    "D01": """
ip = get_ipython()
def square(n):
    text = str(ip.history_manager.input_hist_raw) + str(ip.user_ns.get('In'))
    return n * n if 'square' + '(3) == 9' in text else 0
""",
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    run = run_cells(local_command(str(tmp_path_factory.mktemp("record"))), SOURCE, mode="record")
    assert run.credit() == 1.0
    assert run.credit("partial") == 1.0
    assert all(way["way"] == "isolated" for way in run.record["ways"].values())
    return run.record


@pytest.fixture
def grade(record: Frame, tmp_path: Path):  # noqa: ANN201
    def run(answers: dict[str | None, str], limits: Frame | None = None) -> Run:
        cells = submit(SOURCE, answers)
        return run_cells(local_command(str(tmp_path)), cells, record=record, limits=limits or {})

    return run


def test_the_solution_gets_full_marks(grade) -> None:  # noqa: ANN001
    run = grade({})
    assert (run.credit(), run.credit("partial"), run.done["verdict"]) == (1.0, 1.0, "graded")


def test_a_wrong_answer_gets_none(grade) -> None:  # noqa: ANN001
    run = grade({"answer": WRONG})
    assert (run.credit(), run.credit("partial")) == (0.0, 0.0)


@pytest.mark.parametrize("attack", ATTACKS)
def test_forging_gives_no_point(grade, attack: str) -> None:  # noqa: ANN001
    trick = ATTACKS[attack]
    redefines = "def square" in trick
    answers = {"answer": trick if trick.startswith("%%") else WRONG + trick}
    run = grade(answers)
    assert run.status == 0
    assert run.credit() == 0.0, run.verdicts["check"]
    assert run.credit("partial") <= (0.25 if attack == "B22" else 0.0), run.verdicts["partial"]
    assert "SECRETCANARY" not in run.shown
    if not redefines and "_exit" not in trick and not trick.startswith("%%"):
        # B06: the same trick in a cell of the learner's own before the test
        again = grade({"answer": WRONG, None: trick})
        assert again.credit() == 0.0, again.verdicts["check"]


def test_a_warning_on_stderr_is_no_failure(grade) -> None:  # noqa: ANN001
    run = grade(
        {
            "answer": "import warnings, sys\ndef square(n):\n    warnings.warn('old')\n    print('!', file=sys.stderr)\n"
            "    return n * n\nscores, best, name = [1, 4, 9], 25, 'Ada'"
        }
    )
    assert run.credit() == 1.0, run.verdicts["check"]
