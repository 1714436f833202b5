"""Hostile text, HTML and images, made fit to be shown."""

from __future__ import annotations

import base64
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.clean import clean_html, clean_image, clean_output, clean_text, hide
from graders.feedback import code, learner_text


def png(width: int = 1, height: int = 1) -> str:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    raw = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é ✓ 漢", "plain é ✓ 漢"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x07", "link"),
        ("score 0\rscore 10", "score 10"),
        ("a\r\nb", "a\nb"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("pass\u200bword", "pass⟨U+200B⟩word"),
        ("bell\x07", "bell⟨U+0007⟩"),
        ("half \ud800", "half ?"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_text(text: str, shown: str) -> None:
    assert clean_text(text) == (shown, False)


def test_long_text_is_cut() -> None:
    shown, cut = clean_text("x" * 100_000)
    assert cut
    assert len(shown) == 20_000
    assert clean_text("a\n" * 5_000)[1]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="https://evil.example">log in</a>',
    '<img src="https://evil.example/pixel.png">',
    '<iframe src="https://evil.example"></iframe>',
    "<form action=https://evil.example><input name=password></form>",
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "<style>body{display:none}</style>",
    '<div style="position:fixed;top:0">10/10</div>',
    "<svg><script>alert(1)</script></svg>",
    '<svg onload="alert(1)">',
    "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
    '<img src="data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=">',
    '<img src="data:text/html,<script>alert(1)</script>">',
    '<object data="data:text/html,x"></object><embed src="x">',
    '<base href="https://evil.example">',
    '<p onclick="alert(1)" class="score" id="cell-q1">10/10</p>',
    "<details open ontoggle=alert(1)>x</details>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<table background="https://evil.example/x">',
    '<button formaction="https://evil.example">x</button>',
    "<video src=https://evil.example></video>",
]
FORBIDDEN = ["script", "onerror", "onload", "onclick", "ontoggle", "javascript:", "evil.example", "<iframe", "<form",
             "<meta", "<style", "style=", "<svg", "<object", "<base", "<button", "<video", "class=", "id="]  # fmt: skip


@pytest.mark.parametrize("markup", HOSTILE)
def test_html(markup: str) -> None:
    cleaned = clean_html(markup).replace("noscript", "")
    assert not [word for word in FORBIDDEN if word in cleaned.lower()]


def test_tables_of_pandas_stay() -> None:
    markup = '<style scoped>x</style><table border="1" class="dataframe"><tr><th>a</th></tr><tr><td>1</td></tr></table>'
    assert clean_html(markup) == "<table><tbody><tr><th>a</th></tr><tr><td>1</td></tr></tbody></table>"


def test_an_authors_links_stay() -> None:
    assert 'href="https://docs.python.org"' in clean_html(
        '<a href="https://docs.python.org">x</a>', links=True
    )


@pytest.mark.parametrize(
    ("kind", "data", "fine"),
    [
        ("image/png", png(), True),
        ("image/png", png(30_000, 30_000), False),
        ("image/png", png(0, 1), False),
        ("image/jpeg", png(), False),
        ("image/png", "not base64 <script>", False),
        ("image/png", base64.b64encode(b"<svg onload=alert(1)>").decode(), False),
        ("image/gif", base64.b64encode(b"GIF89a" + struct.pack("<HH", 3, 4) + b"\0" * 9).decode(), True),
        ("image/png", "A" * 3_000_000, False),
    ],
)
def test_images(kind: str, data: str, *, fine: bool) -> None:
    assert (clean_image(kind, data) is not None) == fine


def display(**data: str) -> dict[str, object]:
    return {
        "output_type": "display_data",
        "data": {key.replace("_", "/", 1): value for key, value in data.items()},
    }


def test_an_output_shows_its_best_harmless_form() -> None:
    assert (
        clean_output(display(text_html="<b>x</b><script>1</script>", text_plain="x"), (), "")["html"]
        == "<b>x</b>"
    )
    assert clean_output(display(image_png=png(), text_plain="x"), (), "")["kind"] == "image"
    assert clean_output(display(image_png="broken", text_plain="x"), (), "")["text"] == "x"
    script = {"output_type": "display_data", "data": {"application/javascript": "alert(1)"}}
    assert clean_output(script, (), "") == {"kind": "refused", "name": "application/javascript", "cut": False}


HIDDEN = {"assert f(3) < 9", "pass"}


@pytest.mark.parametrize(
    "output",
    [
        {"output_type": "stream", "name": "stdout", "text": "the test is assert f(3) < 9 !"},
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["> assert f(3) < 9"]},
        display(text_html="<p>assert <b>f(3)</b> &lt; 9</p>"),
        display(text_plain="'assert f(3) < 9'"),
    ],
)
def test_no_output_repeats_a_hidden_line(output: dict[str, object]) -> None:
    shown = clean_output(output, HIDDEN, "[hidden]")
    assert "f(3)" not in str(shown)
    assert "[hidden]" in str(shown)


def test_short_words_are_no_secret() -> None:
    assert hide("pass the salt", HIDDEN, "[hidden]") == "pass the salt"


@pytest.mark.parametrize(
    "piece",
    [
        "x",
        "<",
        "\r",
        "\x1b[",
        "\x1b]8;;",
        "<a ",
        "[",
        "*_",
        "`",
        "\\",
        "'",
        '"',
        "(",
        "#",
        "\n",
        "$x",
        "0",
        "{",
        "f'",
    ],
)
def test_cleaning_and_rendering_take_a_moment_whatever_is_repeated(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    began = time.process_time()
    clean_text(text)
    clean_html(text)
    clean_output(display(text_html=text), HIDDEN, "[hidden]")
    code(text[:8_000])
    assert time.process_time() - began < 3.0


@pytest.mark.parametrize(
    "piece", ["x", "<", "[", "[a](", "*a_ ", "`", "\\", "> ", "- ", "|", "![", "<!--", "&#", "~~", "\n"]
)
def test_markdown_takes_a_moment_whatever_is_repeated(piece: str) -> None:
    began = time.process_time()
    learner_text(piece * (30_000 // len(piece)))
    assert time.process_time() - began < 5.0


@given(st.text())
def test_any_text_comes_out_printable(text: str) -> None:
    shown, _ = clean_text(text)
    shown.encode("utf-8")
    assert not {"\x1b", "\u202e", "\x00", "\r"} & set(shown)


@given(st.text(alphabet="<>/\"'= abcdeghilmnoprstvx:;&#0", max_size=60))
def test_any_markup_comes_out_without_scripts(markup: str) -> None:
    assert "<script" not in clean_html(markup).lower()
