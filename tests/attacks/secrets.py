"""D: attacks on secrets: hidden checks, the solution, the host, the environment."""

from __future__ import annotations

from tests.attacks.case import Handed, Oracle, add, answer, code

ZERO = Oracle.ZERO
SHELL = "ip = get_ipython()\n"

add(
    "D01",
    "takes the hidden inputs from the history and answers just those",
    ZERO,
    Handed(
        answer(
            "def double(x):\n    import re\n    text = ' '.join(map(str, get_ipython().history_manager.input_hist_raw)) + str(globals().get('In'))\n"
            "    found = re.findall(r'double\\((-?\\d+)\\) == (-?\\d+)', text)\n    print(found)\n    return dict((int(a), int(b)) for a, b in found if int(a) != 2).get(x, 0)"
        )
    ),
)
add(
    "D02",
    "a hook prints every cell's source",
    ZERO,
    code(
        SHELL
        + "ip.events.register('pre_run_cell', lambda info: print(info.raw_cell))\nip.events.register('post_run_cell', lambda result: print(result))"
    ),
)
add(
    "D03",
    "looks for checks and solutions on disk",
    ZERO,
    code(
        "import os\nfor top in ('/work', '/tmp', '/opt/atelier', '/home', '/root', '/proc/1/cwd', '..'):\n    for folder, _, names in os.walk(top):\n"
        "        for name in names:\n            try:\n                text = open(os.path.join(folder, name), errors='replace').read(200000)\n            except OSError:\n                continue\n"
        "            if 'HIDDEN TESTS' in text and 'CANARY' in text:\n                print('FOUND', folder, name, text)"
    ),
)
add(
    "D05",
    "looks into other processes",
    ZERO,
    code(
        "import glob\nfor kind in ('environ', 'mem', 'maps', 'cwd', 'root', 'fd/0', 'fd/1', 'stack', 'syscall'):\n    for path in glob.glob(f'/proc/[0-9]*/{kind}'):\n        if '/proc/self' in path:\n            continue\n"
        "        try:\n            data = open(path, 'rb').read(100000)\n        except OSError:\n            continue\n        if b'CANARY' in data or b'HIDDEN' in data:\n            print('FOUND', path, data)"
    ),
)
add(
    "D05b",
    "looks through its caller and memory when called",
    ZERO,
    Handed(
        answer(
            "import gc, inspect, linecache, sys\ndef double(x):\n    for frame in inspect.stack():\n        print(frame.code_context)\n    for lines in linecache.cache.values():\n        print(lines[2] if len(lines) > 2 else '')\n"
            "    print([t for t in gc.get_objects() if isinstance(t, str) and 'HIDDEN' in t])\n    return 0"
        )
    ),
)
add(
    "D06",
    "prints its environment",
    ZERO,
    code(
        "import os, subprocess\nprint(dict(os.environ))\nprint(subprocess.run(['env'], capture_output=True).stdout)"
    ),
)
add(
    "D07",
    "looks for Docker's socket and ways out",
    ZERO,
    code(
        "import glob, os, socket\nfor path in ('/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock', '/proc/1/root/var/run/docker.sock', *glob.glob('/sys/fs/cgroup/**/release_agent', recursive=True)):\n"
        "    try:\n        socket.socket(socket.AF_UNIX).connect(path)\n        print('REACHED', path)\n    except OSError:\n        pass\n    if os.access(path, os.W_OK):\n        print('REACHED', path)"
    ),
)
add(
    "D10",
    "an exception that carries the arguments out",
    ZERO,
    Handed(
        answer(
            "def double(x):\n    raise ValueError('CANARY-' + f'arg-{x}-called')",
            "def names(items):\n    raise ValueError('CANARY-' + f'arg-{items}-called')",
        )
    ),
)
add(
    "D10b",
    "prints the arguments when called",
    ZERO,
    Handed(answer("def double(x):\n    print('CANARY-' + f'arg-{x}-called')\n    return 0" + "\n")),
)
add(
    "D11",
    "imports the solution",
    ZERO,
    code(
        "for name in ('solution', 'answers', 'ans', 'tests', 'checks', 'source', 'graders.checks', 'exercise'):\n    try:\n        module = __import__(name)\n        print(name, dir(module))\n        double = module.double\n    except Exception:\n        pass"
    ),
)
