"""What comes out of a sandbox is believed only where it was asked for, once, and in the right shape."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.results import Limits
from graders.sandbox import protocol
from graders.sandbox.job import CellJob, NotebookJob, Role, SandboxJob
from tests.doubles.sandbox import done, verdict

CHECK = CellJob(2, Role.TEST, "assert f()", "q1", 2.0)
CELLS = (CellJob(0, Role.GIVEN, "x = 1"), CellJob(1, Role.LEARNER, "f = 1", "f"), CHECK)
JOB = SandboxJob((NotebookJob("nb", CELLS),), {"a.txt": b"\x00"}, Limits())
RECORDING = SandboxJob(JOB.notebooks, {}, Limits(), mode="record")


def shown(**changes: Any) -> dict[str, Any]:
    return {"kind": "cell", "notebook": "nb", "index": 1, "outputs": [], "status": "ok", **changes}


def take(*messages: dict[str, Any], job: SandboxJob = JOB) -> protocol.Conversation:
    conversation = protocol.Conversation(job)
    for message in messages:
        conversation.take(message)
    return conversation


def test_an_honest_conversation() -> None:
    said = take(shown(), verdict("nb", CHECK, credit=0.5), done())
    assert [item.credit for item in said.verdicts] == [0.5]
    assert said.done == "graded"


REFUSED: dict[str, list[dict[str, Any]]] = {
    "unknown kind": [{"kind": "score", "value": 100}],
    "no kind": [{}],
    "record in grade mode": [{"kind": "record", "notebook": "nb", "record": {}}],
    "unknown key": [shown(extra=1)],
    "missing key": [{"kind": "cell", "notebook": "nb", "index": 1, "status": "ok"}],
    "output of a test cell": [shown(index=2)],
    "output of another notebook": [shown(notebook="other")],
    "the same cell twice": [shown(), shown()],
    "index as text": [shown(index="1")],
    "index as truth": [shown(index=True)],
    "status invented": [shown(status="great")],
    "status as a list": [shown(status=["ok"])],
    "outputs as text": [shown(outputs="x")],
    "output of an unknown kind": [shown(outputs=[{"output_type": "widget"}])],
    "output with unknown keys": [
        shown(outputs=[{"output_type": "stream", "name": "stdout", "text": "", "x": 1}])
    ],
    "odd stream": [shown(outputs=[{"output_type": "stream", "name": "mark", "text": ""}])],
    "display data as a list": [shown(outputs=[{"output_type": "display_data", "data": []}])],
    "verdict for a learner's cell": [verdict("nb", CELLS[1])],
    "verdict under another id": [verdict("nb", CHECK, grade_id="q2")],
    "verdict twice": [verdict("nb", CHECK, status="failed"), verdict("nb", CHECK)],
    "too much credit": [verdict("nb", CHECK, credit=1.5)],
    "negative credit": [verdict("nb", CHECK, credit=-0.1)],
    "endless credit": [verdict("nb", CHECK, credit=float("inf"))],
    "credit as text": [verdict("nb", CHECK) | {"credit": "1"}],
    "credit as truth": [verdict("nb", CHECK) | {"credit": True}],
    "credit for a timeout": [verdict("nb", CHECK, status="timeout", credit=1.0)],
    "credit for tampering": [verdict("nb", CHECK, status="tampered", credit=0.2)],
    "failed with full credit": [verdict("nb", CHECK, status="failed", credit=1.0)],
    "an unknown way": [verdict("nb", CHECK, way="trusted")],
    "message no text": [verdict("nb", CHECK, message=None)],
    "a word after the last": [done(), shown()],
    "done with an unknown verdict": [done("perfect")],
    "seconds no object": [done() | {"seconds": []}],
    "seconds not a number": [done() | {"seconds": {"a": None}}],
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    with pytest.raises(protocol.ProtocolError):
        take(*REFUSED[case])


def test_records_only_when_recording_and_once() -> None:
    record = {"kind": "record", "notebook": "nb", "record": {"ways": {}}}
    assert take(record, done(), job=RECORDING).records == {"nb": {"ways": {}}}
    for messages in ([record, record], [record | {"notebook": "x"}], [record | {"record": []}]):
        with pytest.raises(protocol.ProtocolError):
            take(*messages, job=RECORDING)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"nonsense",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"a": [' + b"[]," * 300_000 + b"[]]}",
    ],
    ids=["list", "no json", "nan", "infinity", "doubled", "no utf-8", "deep list", "deep object", "many"],
)
def test_a_frame_is_strict_json(body: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(body)


def test_half_characters_become_something_that_can_be_written() -> None:
    message = protocol.decode(json.dumps(verdict("nb", CHECK, status="failed", message="a\ud800b")).encode())
    assert take(message).verdicts[0].message == "a?b"


def test_long_messages_are_cut() -> None:
    assert len(take(verdict("nb", CHECK, message="x" * 10_000)).verdicts[0].message) == protocol.MAX_MESSAGE


def test_frames_in_pieces() -> None:
    data = protocol.encode({"kind": "a"}) + protocol.encode({"kind": "é"})
    reader = protocol.FrameReader(1000)
    found = [message for at in range(len(data)) for message in reader.feed(data[at : at + 1])]
    assert [message["kind"] for message in found] == ["a", "é"]


def test_an_announced_length_beyond_the_budget_overflows_at_once() -> None:
    with pytest.raises(protocol.OverflowReached):
        protocol.FrameReader(1000).feed(struct.pack(">I", 2_000_000_000))


def test_too_many_bytes_or_frames_overflow() -> None:
    with pytest.raises(protocol.OverflowReached):
        protocol.FrameReader(10).feed(b"x" * 11)
    with pytest.raises(protocol.OverflowReached):
        protocol.FrameReader(10**6, max_frames=3).feed(protocol.encode({}) * 4)


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    try:
        protocol.FrameReader(1000).feed(data)
    except (protocol.ProtocolError, protocol.OverflowReached):
        return


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    ),
    st.sampled_from(["cell", "verdict", "done", "record"]),
)
def test_any_json_is_believed_or_refused(value: Any, kind: str) -> None:
    message = value if isinstance(value, dict) else {"value": value}
    with pytest.raises(protocol.ProtocolError):
        take({**message, "kind": kind})


def test_the_job_on_the_wire() -> None:
    message = protocol.job_message(JOB)
    assert message["mode"] == "grade"
    assert message["files"] == [{"path": "a.txt", "data_b64": "AA==", "from": "submission"}]
    assert message["limits"]["wall_s"] == 60.0
    assert [cell["role"] for cell in message["notebooks"][0]["cells"]] == ["given", "learner", "test"]
    assert message["notebooks"][0]["cells"][2]["points"] == 2.0
