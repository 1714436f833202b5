"""A: attacks on time, memory, disk, processes and output; and on what lies around the sandbox."""

from __future__ import annotations

from tests.attacks.case import Handed, Oracle, add, answer, code

LIMIT, ZERO = Oracle.LIMIT, Oracle.ZERO

add("A01", "fork bomb", LIMIT, code("import os\nwhile True:\n    os.fork()"))
add(
    "A01b",
    "fork bomb that ignores errors",
    LIMIT,
    code("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"),
)
add(
    "A02",
    "thread bomb",
    LIMIT,
    code("import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(99,)).start()"),
)
add("A03", "ten gigabytes at once", LIMIT, code("x = b'x' * 10**10"))
add(
    "A03b",
    "memory bit by bit",
    LIMIT,
    code("kept = []\nwhile True:\n    kept.append(bytearray(b'x' * 10**6))"),
    "out_of_memory",
)
add("A03c", "memory while a check calls", LIMIT, Handed(answer("def double(x):\n    return 'a' * 2**34")))
add("A04", "a number that takes for ever", LIMIT, code("x = 10**10**8"))
add(
    "A04b",
    "a regular expression that backtracks",
    LIMIT,
    code("import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')"),
)
add("A05", "endless loop in a cell", LIMIT, code("while True:\n    pass"), "timeout")
add(
    "A05b",
    "endless loop when called",
    LIMIT,
    Handed(answer("def double(x):\n    while True:\n        pass")),
)
add("A06", "sleeps for ever", LIMIT, code("import time\ntime.sleep(10**6)"), "timeout")
add("A06b", "waits for input", ZERO, code("x = input('?')"))
add(
    "A07",
    "ignores every signal and swallows every exception",
    LIMIT,
    code(
        "import signal\nfor number in range(1, 65):\n    try:\n        signal.signal(number, signal.SIG_IGN)\n"
        "    except (OSError, ValueError):\n        pass\nwhile True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass"
    ),
    "timeout",
)
FILL = "for folder in ('.', '/tmp', '/dev/shm', '/work', '/var/tmp'):\n"
add(
    "A08",
    "fills every disk it finds",
    LIMIT,
    code(
        FILL
        + "    for number in range(40):\n        try:\n            with open(f'{folder}/f{number}', 'wb') as file:\n"
        "                file.write(b'x' * 10_000_000)\n        except OSError:\n            break"
    ),
)
add(
    "A09",
    "makes files without end",
    LIMIT,
    code(FILL + "    try:\n        for number in range(10**6):\n            open(f'{folder}/n{number}', 'w').close()\n"
         "    except OSError:\n        pass"),
)  # fmt: skip
add("A10", "prints without end", LIMIT, code("while True:\n    print('x' * 1000)"))
add(
    "A10b",
    "prints without end when called",
    LIMIT,
    Handed(answer("def double(x):\n    while True:\n        print('x' * 1000)")),
)
add(
    "A10c",
    "writes to the file descriptors",
    LIMIT,
    code("import os\nwhile True:\n    os.write(1, b'x' * 10000)\n    os.write(2, b'x' * 10000)"),
)
add("A11", "prints one line of 20 MB", LIMIT, code("print('x' * 20_000_000)"))
add(
    "A12",
    "shows HTML of 20 MB",
    LIMIT,
    code("from IPython.display import HTML, display\ndisplay(HTML('x' * 20_000_000))"),
)
add(
    "A13",
    "shows 100,000 small outputs",
    LIMIT,
    code("from IPython.display import display\nfor n in range(100_000):\n    display(n)"),
)
add(
    "A14", "opens files without end", ZERO, code("kept = []\nwhile True:\n    kept.append(open('/dev/null'))")
)
add(
    "A15",
    "a traceback a million frames deep",
    LIMIT,
    code("import sys\nsys.setrecursionlimit(10**6)\ndef f(n):\n    return f(n + 1) + 1\nf(0)"),
)
add(
    "A16",
    "an object whose repr never ends",
    LIMIT,
    Handed(
        answer(
            "class X:\n    def __repr__(self):\n        while True:\n            pass\n    __str__ = __len__ = __repr__\ndef double(x):\n    return X()"
        )
    ),
)
add(
    "A16b",
    "an object whose repr is a gigabyte",
    LIMIT,
    code("class X:\n    def __repr__(self):\n        return 'x' * 10**9\nX()"),
)
add(
    "A17",
    "sixty-four busy processes",
    LIMIT,
    code(
        "import os\nfor n in range(64):\n    if os.fork() == 0:\n        while True:\n            pass\nimport time\ntime.sleep(1)"
    ),
)
add(
    "A18",
    "leaves a process behind",
    ZERO,
    code("import subprocess\nsubprocess.Popen(['sleep', '7777'], start_new_session=True)"),
)
add(
    "A19",
    "2,000 cells",
    Oracle.REJECT,
    Handed(answer() | {"cells": answer()["cells"] + [answer()["cells"][1]] * 2000}),
)
add(
    "H01",
    "calls home",
    ZERO,
    code(
        "import socket, subprocess\nseen = []\nfor address in [('1.1.1.1', 53), ('172.17.0.1', 8000), ('10.213.0.1', 8081), ('127.0.0.1', 8000)]:\n"
        "    try:\n        socket.create_connection(address, 1)\n        seen.append(address)\n    except OSError:\n        pass\n"
        "print('REACHED' if seen else 'alone')"
    ),
)
add(
    "H08",
    "climbs: setuid, namespaces, mounts, tracing",
    ZERO,
    code(
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\ndone = []\n"
        "for name, call in {'setuid': lambda: libc.setuid(0), 'userns': lambda: libc.unshare(0x10000000), "
        "'mount': lambda: libc.mount(b'none', b'/tmp', b'tmpfs', 0, None), 'ptrace': lambda: libc.ptrace(16, 1, 0, 0), "
        "'keyctl': lambda: libc.syscall(250, 0, -3, 1), 'chroot': lambda: libc.chroot(b'/tmp')}.items():\n"
        "    if call() == 0:\n        done.append(name)\nif os.access('/etc', os.W_OK):\n    done.append('etc')\n"
        "print('CLIMBED ' + str(done) if done else 'still small')"
    ),
)
