"""Honest exercises of many kinds: their tests run apart from the learner's process and give full marks."""

# ruff: noqa: E501, ISC004 - the cells read best as their authors would write them
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doubles.inside import Run, check, given, learner, local_command, run_cells

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

CASES: dict[str, tuple[str, str]] = {
    "class": (
        """
class Account:
    "An account."
    bank = 'ING'
    def __init__(self, owner, balance=0):
        self.owner, self.balance = owner, balance
    def deposit(self, amount):
        if amount <= 0: raise ValueError('must be positive')
        self.balance += amount
        return self
    def __str__(self): return f'{self.owner}: {self.balance}'
    def __eq__(self, other): return isinstance(other, Account) and self.balance == other.balance
    def __len__(self): return 3
    def __getitem__(self, i): return [1, 2, 3][i]
    def __contains__(self, x): return x in [1, 2, 3]
    def __add__(self, other): return Account(self.owner, self.balance + other.balance)
    def __bool__(self): return self.balance > 0
    @property
    def doubled(self): return 2 * self.balance
    @classmethod
    def empty(cls): return cls('nobody')
    @staticmethod
    def rate(): return 0.5
class Savings(Account):
    pass
""",
        """
import inspect
a = Account('Ada', 5)
assert isinstance(a, Account) and type(a) is Account and a.owner == 'Ada'
assert a.deposit(3) is a and a.balance == 8 and a.doubled == 16
a.balance = 10
assert a.balance == 10 and str(a) == 'Ada: 10' and f'{a}' == 'Ada: 10'
assert a == Account('Bob', 10) and a != Account('Bob', 1)
assert len(a) == 3 and a[1] == 2 and 2 in a and list(a) == [1, 2, 3]
assert (a + a).balance == 20 and bool(a) and not Account.empty()
assert issubclass(Savings, Account) and isinstance(Savings('x'), Account) and not isinstance(a, Savings)
assert Account.bank == 'ING' and Account.rate() == 0.5 and Account.__name__ == 'Account'
assert Account.__doc__ == 'An account.' and hasattr(a, 'deposit') and not hasattr(a, 'withdraw')
assert list(inspect.signature(Account).parameters) == ['owner', 'balance']
assert 'raise ValueError' in inspect.getsource(Account.deposit)
assert inspect.isclass(Account) and vars(a) == {'owner': 'Ada', 'balance': 10}
try:
    a.deposit(-1)
except ValueError as error:
    assert 'positive' in str(error)
else:
    raise AssertionError
""",
    ),
    "function": (
        """
def area(width, height=2, *, unit='m'):
    'Area.'
    return width * height
""",
        """
import inspect
assert callable(area) and inspect.isfunction(area) and area.__name__ == 'area' and area.__doc__ == 'Area.'
assert str(inspect.signature(area)) == "(width, height=2, *, unit='m')"
assert inspect.getsource(area).startswith('def area(width')
assert area(3) == 6 and area(width=2, height=4) == 8
try:
    area()
except TypeError:
    pass
else:
    raise AssertionError
""",
    ),
    "exception": (
        """
class StockError(ValueError):
    def __init__(self, missing):
        super().__init__(f'{missing} missing')
        self.missing = missing
def take(n):
    if n > 3: raise StockError(n - 3)
    return {}[n] if n else 1 / 0
""",
        """
for bad, kind in ((5, StockError), (5, ValueError), (2, KeyError), (0, ZeroDivisionError)):
    try:
        take(bad)
    except kind as error:
        if kind is StockError: assert error.missing == 2 and str(error) == '2 missing'
    else:
        raise AssertionError(bad)
assert issubclass(StockError, ValueError)
import unittest
class T(unittest.TestCase):
    def test_it(self):
        with self.assertRaises(StockError): take(9)
        self.assertEqual(1, 1)
result = unittest.TestLoader().loadTestsFromTestCase(T).run(unittest.TestResult())
result = T('test_it').run()
assert result.wasSuccessful(), result.errors
""",
    ),
    "printing": (
        "def greet(name):\n    print('Hello', name)\ndef ask():\n    return int(input('age? ')) + 1",
        """
import contextlib, io
from unittest.mock import patch
out = io.StringIO()
with contextlib.redirect_stdout(out):
    greet('Ada')
assert out.getvalue() == 'Hello Ada\\n'
with patch('builtins.input', return_value='41'):
    assert ask() == 42
import sys
sys.stdin = io.StringIO('7\\n')
try:
    assert ask() == 8
finally:
    sys.stdin = sys.__stdin__
""",
    ),
    "mutation": (
        """
def sort_in_place(items): items.sort()
def drop(table, key): del table[key]; return table
def fill(rows): rows[0].append(1)
""",
        """
items = [3, 1, 2]
alias = items
assert sort_in_place(items) is None and items == [1, 2, 3] and alias is items
table = {'a': 1, 'b': 2}
assert drop(table, 'a') is table and table == {'b': 2}
rows = [[], []]
first = rows[0]
fill(rows)
assert rows == [[1], []] and first == [1]
""",
    ),
    "generator": (
        "def count(n):\n    for i in range(n):\n        yield i\ndef pairs(d): return d.items()\nevens = (n for n in [0, 2])",
        """
import inspect, types
assert list(count(3)) == [0, 1, 2] and next(count(1)) == 0 and isinstance(count(2), types.GeneratorType)
g = count(1)
next(g)
try:
    next(g)
except StopIteration:
    pass
else:
    raise AssertionError
assert sorted(pairs({'a': 1})) == [('a', 1)] and sum(count(4)) == 6 and list(evens) == [0, 2]
""",
    ),
    "callback": (
        """
def apply(f, items): return [f(item) for item in items]
def twice(f):
    def wrapper(*args):
        return f(*args) * 2
    return wrapper
def total(numbers): return sum(numbers)
def longest(words, key): return max(words, key=key)
""",
        """
calls = []
def spy(x):
    calls.append(x)
    return x + 1
assert apply(spy, [1, 2]) == [2, 3] and calls == [1, 2]
assert apply(len, ['a', 'bb']) == [1, 2] and apply(str.upper, ['a']) == ['A']
@twice
def add(a, b): return a + b
assert add(1, 2) == 6
assert total(x for x in range(4)) == 6 and total(iter([1, 2])) == 3
assert longest(['a', 'bbb'], key=len) == 'bbb' and longest(['a', 'b'], key=lambda w: -ord(w)) == 'a'
def broken(x): raise KeyError('mine')
try:
    apply(broken, [1])
except KeyError:
    pass
else:
    raise AssertionError
""",
    ),
    "dataclass": (
        """
from dataclasses import dataclass, field
from collections import namedtuple, Counter
from enum import Enum
@dataclass(order=True)
class Point:
    x: int
    y: int = 0
Pair = namedtuple('Pair', 'left right')
class Colour(Enum):
    RED = 1
    BLUE = 2
def letters(word): return Counter(word)
def origin(): return Point(0, 0)
def pair(): return Pair(1, 2)
""",
        """
assert origin() == Point(0, 0) and Point(1) < Point(2) and repr(Point(1, 2)) == 'Point(x=1, y=2)'
assert sorted([Point(2), Point(1)])[0].x == 1
assert pair() == (1, 2) and pair().left == 1 and isinstance(pair(), Pair) and Pair(3, 4).right == 4
assert Colour.RED.value == 1 and Colour['BLUE'] is Colour.BLUE and Colour(1) is Colour.RED and len(Colour) == 2
assert [c.name for c in Colour] == ['RED', 'BLUE'] and Colour.RED != Colour.BLUE
assert letters('aab') == {'a': 2, 'b': 1} and letters('aab').most_common(1) == [('a', 2)]
""",
    ),
    "context and iteration": (
        """
class Stack:
    def __init__(self): self._items = []; self.closed = False
    def push(self, item): self._items.append(item)
    def pop(self):
        if not self._items: raise IndexError('empty')
        return self._items.pop()
    def __iter__(self): return iter(self._items)
    def __enter__(self): return self
    def __exit__(self, kind, error, trace): self.closed = True; return kind is KeyError
    def __setitem__(self, i, v): self._items[i] = v
    def __call__(self, n): return n + 1
async def fetch(n):
    return n * 2
""",
        """
s = Stack()
s.push(1); s.push([2])
s[0] = 5
assert list(s) == [5, [2]] and s.pop() == [2] and s(1) == 2 and callable(s)
with s as inner:
    assert inner is s
assert s.closed
with s:
    raise KeyError('swallowed')
assert await fetch(2) == 4
import asyncio, inspect
assert inspect.iscoroutinefunction(fetch) or True
Stack().push(1)
try:
    Stack().pop()
except IndexError:
    pass
else:
    raise AssertionError
""",
    ),
    "globals": (
        "inventory = {'apple': 1}\nlimit = 10\ndef count(): return sum(inventory.values())\ndef below(n): return n < limit",
        """
inventory['pear'] = 4
assert count() == 5 and inventory == {'apple': 1, 'pear': 4}
old, limit = limit, 3
assert not below(5)
limit = old
assert below(5)
import __main__
assert __main__.limit == 10 and 'limit' in globals() and globals()['limit'] == 10
from unittest.mock import patch
with patch('__main__.count', lambda: 99):
    assert count() == 99
assert count() == 5
class Holder:
    value = limit
assert Holder.value == 10
""",
    ),
    "magic and random": (
        "import random\ndef roll(): return random.randint(1, 6)\nx = !echo hi",
        """
import random
random.seed(4)
first = [roll() for _ in range(5)]
random.seed(4)
assert [roll() for _ in range(5)] == first == [random.Random(4).randint(1, 6) for _ in range(0)] + first
assert list(x) == ['hi']
%time 1 + 1
""",
    ),
    "values": (
        """
from decimal import Decimal
from fractions import Fraction
import datetime as dt, math
things = [None, True, 3, 2**80, 1.5, float('inf'), 1j, 'é😀\\ud800', b'x', (1,), {1, 2}, frozenset({3}), range(3),
          slice(1, 2), Decimal('1.10'), Fraction(1, 3), dt.date(2024, 2, 29), dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone.utc),
          dt.timedelta(1), {'a': [1, {2: (3,)}]}, bytearray(b'q'), ..., int, ValueError]
nan = float('nan')
root = math.sqrt
""",
        """
import datetime, decimal, fractions
assert [type(t).__name__ for t in things[:5]] == ['NoneType', 'bool', 'int', 'int', 'float'] and things[3] == 2**80
assert things[7] == 'é😀\\ud800' and things[9] == (1,) and things[10] == {1, 2} and things[12] == range(3)
assert things[14] == decimal.Decimal('1.10') and things[15] * 3 == 1 and things[16].day == 29
assert things[17].tzinfo == datetime.timezone.utc and things[19]['a'][1][2] == (3,) and things[-2] is int
assert nan != nan and root(4) == 2.0 and math.sqrt(9) == 3 and things[-1] is ValueError
""",
    ),
}
NODES = """
class Node:
    def __init__(self, value, left=None, right=None):
        self.value, self.left, self.right = value, left, right
"""
TREE = """
def insert(root, value):
    if root is None: return Node(value)
    side = 'left' if value < root.value else 'right'
    setattr(root, side, insert(getattr(root, side), value))
    return root
def depth(node): return 0 if node is None else 1 + max(depth(node.left), depth(node.right))
"""
TREE_TEST = """
root = Node(5)
assert insert(root, 3) is root and root.left.value == 3 and isinstance(root.left, Node)
insert(root, 9); insert(root, 8)
assert root.right.left.value == 8 and depth(root) == 3 and insert(None, 1).value == 1
ring = Node(1); ring.left = ring
"""


def _fails(run: Run) -> str:
    return "\n".join(
        f"{key}: {verdict['status']} {verdict['way']} {verdict['message']} {(verdict['evidence'] or '')[-900:]}"
        for key, verdict in run.verdicts.items()
        if verdict["credit"] != 1.0 or verdict["way"] != "isolated"
    )


def test_all_kinds_of_objects_are_tested_apart(tmp_path: Path) -> None:
    cells = []
    for name, (solution, test) in CASES.items():
        cells += [learner(f"solve {name}", solution), check(name, test)]
    cells += [given(NODES), learner("tree", TREE), check("tree test", TREE_TEST)]
    recorded = run_cells(local_command(str(tmp_path / "1")), cells, mode="record")
    assert not _fails(recorded), _fails(recorded) + str(recorded.record["ways"])
    graded = run_cells(local_command(str(tmp_path / "2")), cells, record=recorded.record)
    assert not _fails(graded), _fails(graded)
    assert graded.done["verdict"] == "graded"


def test_given_cells_do_nothing_twice(tmp_path: Path) -> None:
    cells = [
        learner(
            "answer",
            "class Account:\n    def __init__(self): self.n = 0\n    def add(self, k): self.n += k\n    def get(self): return self.n",
        ),
        given("a = Account()\na.add(5)\nexpected = a.get() + 1\nmany = [Account()]\nmany[0].add(2)"),
        given("a.add(1)"),
        learner("more", "a.add(4)"),
        check(
            "check",
            "assert a.get() == 10 and expected == 6 and many[0].get() == 2 and isinstance(a, Account)",
        ),
    ]
    recorded = run_cells(local_command(str(tmp_path)), cells, mode="record")
    assert not _fails(recorded), _fails(recorded)
    graded = run_cells(local_command(str(tmp_path)), cells, record=recorded.record)
    assert not _fails(graded), _fails(graded)


@pytest.mark.parametrize("library", ["numpy", "pandas"])
def test_arrays_and_tables_cross(tmp_path: Path, library: str) -> None:
    pytest.importorskip(library)
    cases = {
        "numpy": (
            "import numpy as np\ndef grid(n): return np.arange(n * 2).reshape(n, 2)\ndef mean(a): return a.mean()\n"
            "def double(a): a *= 2\nmixed = np.array([1, 'a', None], dtype=object)\nday = np.datetime64('2024-01-01')",
            "a = grid(3)\nassert type(a) is np.ndarray and a.shape == (3, 2) and a.dtype == np.int64\n"
            "assert np.allclose(mean(a), 2.5) and isinstance(mean(a), np.floating)\ndouble(a)\nassert a[2, 1] == 10\n"
            "assert list(mixed) == [1, 'a', None] and day == np.datetime64('2024-01-01')\nnp.testing.assert_array_equal(a, a)",
        ),
        "pandas": (
            "import pandas as pd\ndef clean(df): return df.dropna().assign(b=lambda d: d.a * 2)\n"
            "def by(df): return df.groupby('k').a.sum()\ndef add(df): df['z'] = 1\n"
            "table = pd.DataFrame({'d': pd.to_datetime(['2024-01-01', None]), 'c': pd.Categorical(['x', 'y']), "
            "'i': pd.array([1, None], dtype='Int64'), 's': ['a', None], 't': pd.date_range('2024', periods=2, tz='Europe/Brussels')})",
            "df = pd.DataFrame({'a': [1.0, None, 3.0], 'k': ['x', 'y', 'x']}, index=[4, 5, 6])\n"
            "pd.testing.assert_frame_equal(clean(df), pd.DataFrame({'a': [1.0, 3.0], 'k': ['x', 'x'], 'b': [2.0, 6.0]}, index=[4, 6]))\n"
            "assert by(df).to_dict() == {'x': 4.0, 'y': 0.0} and by(df).index.name == 'k'\nadd(df)\nassert list(df.z) == [1, 1, 1]\n"
            "assert table.c.dtype == 'category' and table.i.isna().sum() == 1 and table.d[0] == pd.Timestamp('2024-01-01')\n"
            "assert str(table.t.dt.tz) == 'Europe/Brussels' and table.shape == (2, 5) and table.i.dtype == 'Int64'",
        ),
    }
    solution, test = cases[library]
    cells = [learner("answer", solution), check("check", test)]
    recorded = run_cells(local_command(str(tmp_path)), cells, mode="record")
    assert not _fails(recorded), _fails(recorded)
    graded = run_cells(local_command(str(tmp_path), library), cells, record=recorded.record)
    assert not _fails(graded), _fails(graded)
