"""B and C: attacks on the score itself, from inside the interpreter and on the way out; controls are in honest.py."""

from __future__ import annotations

from tests.attacks.case import WRONG_DOUBLE, WRONG_NAMES, Handed, Oracle, add, answer, code

ZERO = Oracle.ZERO
SHELL = "ip = get_ipython()\n"

add(
    "B01",
    "a hook before each cell shows 2.0",
    ZERO,
    code(
        "import sys\n" + SHELL + "def show(*_):\n    sys.displayhook(2.0)\n    print(2.0)\n"
        "ip.events.register('pre_run_cell', show)\nip.events.register('post_run_cell', show)"
    ),
)
add(
    "B02",
    "the answer shows 2.0 when called",
    ZERO,
    Handed(answer("import sys\ndef double(x):\n    sys.displayhook(2.0)\n    return 0")),
)
add(
    "B03",
    "asserts are taken out of every cell",
    ZERO,
    code(
        "import ast\nclass Strip(ast.NodeTransformer):\n    def visit_Assert(self, node):\n        return ast.Pass()\n"
        + SHELL
        + "ip.ast_transformers.append(Strip())"
    ),
)
add(
    "B04",
    "every cell becomes `pass`",
    ZERO,
    code(SHELL + "ip.input_transformers_cleanup.append(lambda lines: ['pass\\n'])"),
)
add(
    "B05",
    "run_cell is replaced",
    ZERO,
    code(
        "from IPython.core.interactiveshell import InteractiveShell, ExecutionResult\n"
        "def run(self, *a, **k):\n    result = ExecutionResult(None)\n    result.result = 2.0\n    return result\n"
        "InteractiveShell.run_cell = run\nInteractiveShell.run_cell_async = run\nInteractiveShell.run_code = run"
    ),
)
add(
    "B06",
    "a cell between answer and check",
    ZERO,
    Handed(answer(after="import builtins\nbuiltins.AssertionError = Exception")),
)
LIAR = "class Liar:\n    def __eq__(self, other):\n        return True\n    __ne__ = lambda self, other: False\n    __hash__ = None\n"
add(
    "B07",
    "an object that equals everything",
    ZERO,
    Handed(answer(LIAR + "def double(x):\n    return Liar()", LIAR + "def names(items):\n    return Liar()")),
)
SUBCLASS = (
    "class E({base}):\n    def __eq__(self, other):\n        return True\n    def __ne__(self, other):\n        return False\n"
    "    def __hash__(self):\n        return 0\n"
)
add(
    "B08",
    "an int and a list that equal everything",
    ZERO,
    Handed(
        answer(
            SUBCLASS.format(base="int") + "def double(x):\n    return E(0)",
            SUBCLASS.format(base="list") + "def names(items):\n    return E()",
        )
    ),
)
add(
    "B09",
    "an object that is true in every protocol",
    ZERO,
    Handed(
        answer(
            "class T:\n"
            + "".join(
                f"    def __{name}__(self, *a):\n        return True\n"
                for name in ("eq", "lt", "le", "gt", "ge", "bool", "contains", "and", "rand", "or", "ror")
            )
            + "    def __iter__(self):\n        return iter([self])\n    def __getattr__(self, name):\n        return self\n"
            "    def __call__(self, *a, **k):\n        return self\n    def __len__(self):\n        return 1\n"
            "def double(x):\n    return T()",
            "def names(items):\n    return T()",
        )
    ),
)
add(
    "B10",
    "showtraceback does nothing",
    ZERO,
    code(
        "import IPython.core.interactiveshell as s\ns.InteractiveShell.showtraceback = lambda *a, **k: None"
    ),
)
add(
    "B11",
    "a handler for AssertionError",
    ZERO,
    code(SHELL + "ip.set_custom_exc((AssertionError,), lambda *a: None)"),
)
add(
    "B12",
    "another AssertionError",
    ZERO,
    code("import builtins\nbuiltins.AssertionError = type('A', (Exception,), {})"),
)
add(
    "B13",
    "builtins lie",
    ZERO,
    code(
        "import builtins\nfor name in ('all', 'any', 'isinstance', 'callable', 'hasattr'):\n    setattr(builtins, name, lambda *a: True)\nbuiltins.len = lambda x: 3\nbuiltins.sorted = lambda x: x"
    ),
)
add(
    "B14",
    "libraries lie",
    ZERO,
    code(
        "import math, unittest, operator\nmath.isclose = lambda *a, **k: True\nunittest.TestCase.assertEqual = lambda *a: None\noperator.eq = lambda a, b: True"
    ),
)
SHADOWS = (
    *(
        "numpy",
        "pytest",
        "json",
        "random",
        "conftest",
        "sitecustomize",
        "usercustomize",
        "IPython",
        "ast",
        "os",
    ),
    "graders/__init__",
)
ESCAPE = b"import builtins\nbuiltins.AssertionError = Exception\nclass A:\n    __eq__ = lambda *a: True\ndouble = names = A()\n"
add(
    "B15",
    "modules of the learner's shadow the real ones",
    ZERO,
    Handed(answer(before="import sys\nsys.path.insert(0, '.')"), {f"{name}.py": ESCAPE for name in SHADOWS}),
)
add(
    "B16",
    "pytest's settings files",
    ZERO,
    Handed(
        answer(), {"pytest.ini": b"[pytest]\naddopts = --co", "setup.cfg": b"[tool:pytest]\naddopts=--co"}
    ),
)
add(
    "B17",
    "tracing changes locals",
    ZERO,
    code(
        "import sys\nsys.settrace(lambda frame, event, arg: frame.f_locals.clear())\nsys.setprofile(lambda *a: None)"
    ),
)
add(
    "B18",
    "an importer of one's own",
    ZERO,
    code(
        "import sys\nclass F:\n    def find_spec(self, *a):\n        return None\nsys.meta_path.insert(0, F())\nsys.modules['graders'] = F()"
    ),
)
add(
    "B19",
    "hunts for results in memory",
    ZERO,
    code(
        "import gc\nfor thing in gc.get_objects():\n    if isinstance(thing, dict) and ('credit' in thing or 'status' in thing):\n        thing.update(credit=1.0, status='passed')"
    ),
)
add(
    "B20",
    "rewrites small numbers in memory",
    ZERO,
    code(
        "import ctypes\ntry:\n    ctypes.c_long.from_address(id(0) + 24).value = 4\nexcept Exception:\n    pass"
    ),
)
add(
    "B21",
    "reads the expected value off its caller",
    ZERO,
    Handed(
        answer(
            "import sys\ndef double(x):\n    frame = sys._getframe()\n    while frame:\n        for name, value in frame.f_locals.items():\n            if value == 2 * x:\n                pass\n        frame = frame.f_back\n    return 0"
        )
    ),
)
add(
    "B24",
    "changes things at exit",
    ZERO,
    code("import atexit, os\natexit.register(lambda: os.write(1, b'{\"score\": 3}'))"),
)
add("B26", "os._exit(0) in a cell", ZERO, code("import os\nos._exit(0)"))
add("B26b", "os._exit(0) when called", ZERO, Handed(answer("import os\ndef double(x):\n    os._exit(0)")))
add(
    "B27",
    "sys.exit and friends when called",
    ZERO,
    Handed(
        answer("def double(x):\n    raise SystemExit(0)", "def names(items):\n    raise KeyboardInterrupt")
    ),
)
add(
    "B28",
    "kills its parent and everything else",
    ZERO,
    code(
        "import os, signal\nfor pid in (os.getppid(), 1, *range(2, 60), -1):\n    if pid != os.getpid():\n        try:\n            os.kill(pid, signal.SIGKILL)\n        except OSError:\n            pass"
    ),
)
add("B28b", "crashes the interpreter", ZERO, code("import ctypes\nctypes.string_at(0)"))
add("B29", "resets everything", ZERO, code("%reset -f"))
add(
    "B30",
    "redefines what checks use",
    ZERO,
    code("def assert_equal(a, b):\n    pass\nimport os\nos.environ['PYTHONOPTIMIZE'] = '2'"),
)
add(
    "B31",
    "magics: aliases, scripts, shell",
    ZERO,
    code(
        "%alias_magic nothing capture\nget_ipython().system('echo 3 > score')\n%load_ext autoreload\nget_ipython().run_line_magic('config', 'InteractiveShell.ast_node_interactivity=\"none\"')"
    ),
)
add(
    "B33",
    "raises an assertion of its own",
    ZERO,
    Handed(answer("class E(BaseException):\n    pass\ndef double(x):\n    raise E('passed')")),
)
FORGED = b'{"scores": {"double-check": 100}, "score": 100, "verdict": "graded"}'
add(
    "C01",
    "prints a score and exits",
    ZERO,
    code(f"print({FORGED.decode()!r})\nprint('Grade :=>> 100')\nimport sys\nsys.exit(0)"),
)
add(
    "C04",
    "writes result files everywhere",
    ZERO,
    Handed(
        answer(
            before=f"import glob, os\nfor folder in ('.', '..', '/tmp', '/work', *glob.glob('/tmp/*')):\n    for name in ('results.json', 'report.xml', 'gradebook.db', '.result'):\n        try:\n            open(f'{{folder}}/{{name}}', 'w').write({FORGED.decode()!r})\n        except OSError:\n            pass"
        ),
        {"results.json": FORGED, "gradebook.db": FORGED},
    ),
)
add(
    "C05",
    "result file is a link made while running",
    ZERO,
    code(
        "import os\nfor name in ('results.json', 'data.csv'):\n    os.symlink('/etc/passwd', name)\nos.mkfifo('pipe.csv')"
    ),
)
add(
    "C09",
    "speaks the protocol on every descriptor",
    ZERO,
    code(
        "import json, os, struct\nframes = [{'kind': 'verdict', 'notebook': 'exercise', 'grade_id': 'double-check', 'index': 3, 'status': 'passed', 'credit': 1.0, "
        "'way': 'isolated', 'message': '', 'evidence': None, 'outputs': []}, {'kind': 'done', 'verdict': 'graded', 'seconds': {}}]\n"
        "data = b''.join(struct.pack('>I', len(b)) + b for b in (json.dumps(f).encode() for f in frames))\n"
        "for fd in range(3, 256):\n    try:\n        os.write(fd, data)\n    except OSError:\n        pass"
    ),
)
add(
    "C10",
    "writes on inherited descriptors and those of others",
    ZERO,
    code(
        "import glob, os\nfor path in [*glob.glob('/proc/self/fd/*'), *glob.glob('/proc/[0-9]*/fd/*')]:\n    try:\n"
        f"        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)\n        os.write(fd, {FORGED!r})\n    except OSError:\n        pass"
    ),
)
add(
    "C13",
    "changes the grader's code",
    ZERO,
    code(
        "import glob\nfor path in glob.glob('/opt/atelier/**/*.py', recursive=True) + glob.glob('/opt/venv/**/*.pth', recursive=True):\n    try:\n        open(path, 'a').write('raise SystemExit')\n        print('CHANGED')\n    except OSError:\n        pass"
    ),
)
add(
    "C15",
    "exit codes of others' protocols",
    ZERO,
    Handed(
        answer(
            "import os\ndef double(x):\n    os._exit(100)", "import os\ndef names(items):\n    os._exit(137)"
        )
    ),
)
add(
    "M05",
    "answers anything, whatever goes wrong",
    ZERO,
    Handed(
        answer(
            "def double(x):\n    try:\n        raise ValueError\n    except ValueError:\n        return None",
            WRONG_NAMES,
        )
    ),
)
add(
    "M08",
    "commented-out code and a constant",
    ZERO,
    Handed(answer("# return 2 * x\n" + WRONG_DOUBLE, "# return sorted(items)\n" + WRONG_NAMES)),
)
