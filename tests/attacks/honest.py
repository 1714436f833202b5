"""Z: honest work with oddities. A defence that costs one of these a point has failed too."""

from __future__ import annotations

import json

from tests.attacks.case import RIGHT_DOUBLE, RIGHT_NAMES, Handed, Oracle, add, answer

EQUAL = Oracle.EQUAL


def _right(before: str = "", double: str = RIGHT_DOUBLE, names: str = RIGHT_NAMES, after: str = "") -> Handed:
    return Handed(answer(double, names, before=before, after=after))


add("Z00", "the plain right answer", EQUAL, _right())
add("Z01", "prints 100 kB", EQUAL, _right("for n in range(1000):\n    print('x' * 100)"))
add(
    "Z01b",
    "prints when called",
    EQUAL,
    _right(double="def double(x):\n    print('called with', x)\n    return 2 * x"),
)
add(
    "Z02",
    "warnings on standard error",
    EQUAL,
    _right(
        "import warnings, sys\nwarnings.warn('careful')\nprint('hm', file=sys.stderr)",
        "import warnings\ndef double(x):\n    warnings.warn('old')\n    return 2 * x",
    ),
)
add(
    "Z03",
    "threads and processes, lightly",
    EQUAL,
    _right(
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(3) as pool:\n    print(list(pool.map(abs, [-1, 2])))\nimport multiprocessing\ncontext = multiprocessing.get_context('fork')\nqueue = context.Queue()\np = context.Process(target=queue.put, args=(5,))\np.start()\nprint(queue.get(timeout=5))\np.join()"
    ),
)
add(
    "Z04",
    "subprocess, temporary files, files beside",
    EQUAL,
    _right(
        "import subprocess, tempfile\nprint(subprocess.run(['echo', 'hi'], capture_output=True, text=True).stdout)\nwith tempfile.TemporaryFile() as file:\n    file.write(b'x')\nopen('mine.txt', 'w').write('x')\nprint(open('mine.txt').read())"
    ),
)
add(
    "Z05",
    "accents and emoji",
    EQUAL,
    _right("élève = 'Zoë 🎉'\nprint(élève)", "def double(é):\n    # doublé ✓\n    return 2 * é"),
)
add(
    "Z06",
    "numpy scalars and other kinds of lists",
    EQUAL,
    _right(double="import numpy\ndef double(x):\n    return numpy.int64(2) * x"),
)
add(
    "Z07",
    "helper cells and moved imports",
    EQUAL,
    _right(
        "import operator\ndef helper(x):\n    return operator.mul(2, x)",
        "def double(x):\n    return helper(x)",
        after="print('done')",
    ),
)
add("Z08", "slow but within the limit", EQUAL, _right("import time\ntime.sleep(1)"))
add("Z09", "CRLF and tabs", EQUAL, _right(double="def double(x):\r\n\treturn 2 * x"))
add(
    "Z09b",
    "a byte order mark",
    EQUAL,
    Handed(b"\xef\xbb\xbf" + json.dumps(answer(RIGHT_DOUBLE, RIGHT_NAMES)).encode()),
)
add(
    "Z10",
    "data classes, generators and sets on the way",
    EQUAL,
    _right(
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int",
        "def double(x):\n    return P(x).x + sum(n for n in {x})",
    ),
)
add(
    "Z11",
    "format 4.4 without ids, metadata of other editors",
    EQUAL,
    Handed(
        answer(RIGHT_DOUBLE, RIGHT_NAMES)
        | {
            "nbformat_minor": 4,
            "metadata": {
                "colab": {"provenance": []},
                "kernelspec": {"name": "vscode", "display_name": "x"},
                "language_info": {"name": "python"},
            },
        }
    ),
)
add("Z12", "magics", EQUAL, _right("%matplotlib inline\n%timeit -n 1 -r 1 sum(range(10))"))
add(
    "Z13",
    "a class with an honest __eq__",
    EQUAL,
    _right(
        "class V:\n    def __init__(self, x):\n        self.x = x\n    def __eq__(self, other):\n        return self.x == other.x\nprint(V(1) == V(1))"
    ),
)
add(
    "Z14",
    "an exception that is caught",
    EQUAL,
    _right("try:\n    raise ValueError('x')\nexcept ValueError as error:\n    print(error)"),
)
add("Z16", "empty cells and an error in a cell of one's own", EQUAL, _right("1 / 0", after=" "))
add(
    "Z17",
    "a lambda and other words",
    EQUAL,
    _right(
        double="double = lambda x: x << 1 if x >= 0 else -(-x << 1)",
        names="def names(items):\n    copy = list(items)\n    copy.sort()\n    return copy",
    ),
)
add(
    "Z18",
    "sys.exit under __main__ that is not reached",
    EQUAL,
    _right("import sys\nif __name__ == 'never':\n    sys.exit(1)"),
)
add("Z20", "a cell that exits, and right answers after it", EQUAL, _right("print('before')\nexit_code = 0"))
