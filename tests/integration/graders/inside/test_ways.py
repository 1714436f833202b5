"""Exercises as trainers write them: which run apart from the learner's process, and which need a guarded fork."""

# ruff: noqa: E501 - the cells read best as their authors would write them
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doubles.inside import Frame, check, given, learner, local_command, run_cells, submit

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

ISOLATED: dict[str, list[Frame]] = {
    "a list by name": [
        learner("s", "data = [3, 1, 2]\ndef order(x): x.sort()\ntotal = lambda: sum(data)"),
        check(
            "c",
            "order(data)\nassert data == [1, 2, 3] and total() == 6\nd = data\nd.append(4)\nassert total() == 10 and data is d",
        ),
    ],
    "a given base class": [
        given(
            "class Animal:\n    def __init__(self, n): self.n = n\n    def speak(self): raise NotImplementedError\n"
            "    def hello(self): return self.n + self.speak()"
        ),
        learner("s", "class Dog(Animal):\n    def speak(self): return 'woof'\ndef make(n): return Animal(n)"),
        check(
            "c",
            "d = Dog('Rex')\nassert isinstance(d, Animal) and issubclass(Dog, Animal) and d.hello() == 'Rexwoof'\n"
            "a = make('x')\nassert type(a) is Animal and a.n == 'x'\ntry:\n    a.speak()\nexcept NotImplementedError: pass",
        ),
    ],
    "an abstract class": [
        given(
            "from abc import ABC, abstractmethod\nclass Shape(ABC):\n    @abstractmethod\n    def area(self): ..."
        ),
        learner(
            "s",
            "class Sq(Shape):\n    def __init__(self, a): self.a = a\n    def area(self): return self.a ** 2",
        ),
        check(
            "c",
            "s = Sq(3)\nassert isinstance(s, Shape) and s.area() == 9 and sum(x.area() for x in [Sq(1), Sq(2)]) == 5",
        ),
    ],
    "files": [
        learner(
            "s",
            "open('out.csv', 'w').write('a,b\\n1,2\\n')\ndef save(p):\n    with open(p, 'w') as f: f.write('x')",
        ),
        check(
            "c",
            "import csv, os\nassert list(csv.reader(open('out.csv'))) == [['a', 'b'], ['1', '2']]\n"
            "assert not os.path.exists('o.txt')\nsave('o.txt')\nassert os.path.exists('o.txt') and open('o.txt').read() == 'x'",
        ),
    ],
    "mocks": [
        learner("s", "def notify(mailer, who): return mailer.send(who, subject='hi')"),
        check(
            "c",
            "from unittest.mock import Mock\nm = Mock()\nm.send.return_value = 3\nassert notify(m, 'Ada') == 3\n"
            "m.send.assert_called_once_with('Ada', subject='hi')",
        ),
    ],
    "an object of the test": [
        learner("s", "def describe(o): return o.name.upper() + str(o.size())"),
        check(
            "c",
            "class Thing:\n    name = 'box'\n    def size(self): return 4\nassert describe(Thing()) == 'BOX4'",
        ),
    ],
    "warnings": [
        learner("s", "import warnings\ndef old():\n    warnings.warn('x', DeprecationWarning)\n    return 1"),
        check(
            "c",
            "import warnings\nwith warnings.catch_warnings(record=True) as w:\n    warnings.simplefilter('always')\n"
            "    assert old() == 1\nassert len(w) == 1 and w[0].category is DeprecationWarning",
        ),
    ],
    "capture": [
        learner("s", "def hi(): print('hi')"),
        check("c", "%%capture out\nhi()"),
        check("d", "assert out.stdout == 'hi\\n'"),
    ],
    "copies and attributes": [
        learner(
            "s",
            "class Box:\n    def __init__(self): self.items = []\n    def size(self): return len(self.items)",
        ),
        check(
            "c",
            "import copy\na = Box()\nb = copy.deepcopy(a)\nb.items = [2]\nassert a.items == []\n"
            "a.items.append(4)\nassert a.size() == 1 and b.size() == 1",
        ),
    ],
    "a name put away": [
        learner("s", "def sq(x): return x * x\ndef su(n): return sum(sq(i) for i in range(n))"),
        check(
            "c",
            "o = sq\nsq = lambda x: 1\ntry:\n    assert su(4) == 4\nfinally:\n    sq = o\nassert su(3) == 5",
        ),
    ],
    "imports of the solution": [
        learner("s", "from math import isclose\nimport math as m\ndef h(a): return m.sqrt(a)"),
        check("c", "assert isclose(h(4), 2) and m.isclose(h(9), 3)"),
    ],
}
FORKED: dict[str, list[Frame]] = {
    "a class of the test's own": [
        learner("s", "class B:\n    def run(self): return self.go() + 1"),
        check("c", "class T(B):\n    def go(self): return 1\nassert T().run() == 2"),
    ],
    "text of the learner's as code": [
        learner("s", "text = 'abs(-3)'"),
        check("c", "assert eval(text) == 3"),
    ],
    "the submitted source as code": [
        learner("s", "def f(x): return x + 1"),
        check(
            "c", "import inspect\nnames = {}\nexec(inspect.getsource(f), names)\nassert names['f'](1) == 2"
        ),
    ],
}


@pytest.mark.parametrize("name", ISOLATED)
def test_these_run_apart(tmp_path: Path, name: str) -> None:
    recorded = run_cells(local_command(str(tmp_path / "1")), ISOLATED[name], mode="record")
    assert {way["way"] for way in recorded.record["ways"].values()} == {"isolated"}, recorded.record["ways"]
    run = run_cells(local_command(str(tmp_path / "2")), ISOLATED[name], record=recorded.record)
    assert all(verdict["credit"] == 1.0 for verdict in run.verdicts.values()), run.verdicts


@pytest.mark.parametrize("name", FORKED)
def test_these_need_a_fork_and_say_so(tmp_path: Path, name: str) -> None:
    recorded = run_cells(local_command(str(tmp_path / "1")), FORKED[name], mode="record").record
    assert recorded["ways"]["c"]["way"] == "fork"
    assert recorded["ways"]["c"]["note"].startswith("Runs only in a fork")
    right = run_cells(local_command(str(tmp_path / "2")), FORKED[name], record=recorded)
    assert (right.credit("c"), right.verdicts["c"]["way"]) == (1.0, "fork")
    wrong = submit(FORKED[name], {"s": "import builtins\nbuiltins.abs = lambda x: 3\nf = text = B = None"})
    assert run_cells(local_command(str(tmp_path / "3")), wrong, record=recorded).credit("c") == 0.0


def test_a_check_function_that_the_solution_imports_is_the_checkers_own(tmp_path: Path) -> None:
    cells = ISOLATED["imports of the solution"]
    recorded = run_cells(local_command(str(tmp_path / "1")), cells, mode="record").record
    for trick in (
        "def isclose(*a): return True\nclass m:\n    isclose = isclose\n    sqrt = isclose\ndef h(a): return 0",
        "import math as m, types\nm = types.ModuleType('math')\nm.isclose = isclose = lambda *a: True\ndef h(a): return 0",
    ):
        run = run_cells(local_command(str(tmp_path / "2")), submit(cells, {"s": trick}), record=recorded)
        assert run.credit("c") == 0.0


def test_source_files_are_the_checkers_own(tmp_path: Path) -> None:
    cells = [
        learner(
            "s", "import csv\ndef total(): return sum(int(row[0]) for row in csv.reader(open('data.csv')))"
        ),
        check(
            "c", "import csv\nassert total() == sum(int(row[0]) for row in csv.reader(open('data.csv'))) == 6"
        ),
    ]
    files = {"data.csv": b"1\n2\n3\n"}
    recorded = run_cells(local_command(str(tmp_path / "1")), cells, mode="record", files=files).record
    assert recorded["ways"]["c"]["way"] == "isolated"
    forged = submit(cells, {"s": "open('data.csv', 'w').write('6')\ndef total(): return 0"})
    run = run_cells(local_command(str(tmp_path / "2")), forged, record=recorded, files=files)
    assert run.credit("c") == 0.0
