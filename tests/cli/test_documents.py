"""Documents as text: every kind that can be material, and what is said about those that cannot."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from debate_tui.cli import documents
from debate_tui.cli.documents import TextDocument, check_place, read_place
from debate_tui.domain.errors import UsageError
from tests.fakes.provider_server import ProviderReply, ProviderServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PAGE = """\
<!doctype html><html><head><title>T</title><style>p { color: red }</style></head>
<body><nav>Home | About</nav><main><h1>Tea &amp; coffee</h1>
<p>The <a href="/x">committee</a> found that <em>tea</em> keeps *well*.</p>
<ul><li>black</li><li>green_tea</li></ul>
<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>
<script>alert(1)</script></main><footer>Imprint</footer></body></html>"""


def make_pdf(text: str) -> bytes:
    """A PDF file with one page and one line of text."""
    content = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
    bodies = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    head = f"xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R >>\n"
    return data + f"{head}startxref\n{len(data)}\n%%EOF\n".encode()


def read_one(path: Path) -> TextDocument:
    (document,) = read_place(str(path)).documents
    return document


# Files


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("notes.md", b"# Tea\n\n*keeps*\n", "# Tea\n\n*keeps*"),
        ("main.py", b"\n\nprint('tea')\n", "print('tea')"),
        ("windows.txt", "\ufeffTea\r\nkeeps".encode(), "Tea\nkeeps"),
        ("utf16.txt", "Tea keeps ☕".encode("utf-16"), "Tea keeps ☕"),
        ("indented.py", b"    x = 1\n", "    x = 1"),
        ("tags.txt", b"<html> is a tag", "<html> is a tag"),
        ("paper.pdf", make_pdf("Tea keeps."), "Tea keeps."),
        ("paper", make_pdf("Tea keeps."), "Tea keeps."),
    ],
)
def test_a_file_is_read_under_its_own_name(name: str, data: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert read_one(tmp_path / name) == TextDocument(name, text)


@pytest.mark.parametrize("name", ["page.html", "page.HTM", "page"])
def test_a_page_becomes_text_without_what_stands_around_it(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(PAGE)
    text = read_one(tmp_path / name).text
    assert text.startswith("# Tea & coffee\n\nThe committee found that tea keeps *well*.")
    assert "- black\n- green_tea" in text
    assert "| 1 | 2 |" in text
    for left_out in ("Home", "Imprint", "alert", "color", "/x"):
        assert left_out not in text


def test_all_articles_of_a_page_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<body><article>One</article><article>Two</article></body>")
    assert read_one(tmp_path / "a.html").text.split() == ["One", "Two"]


def test_a_file_of_another_name_is_never_called_by_its_path(tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b"caf\xe9\x1b[31m\n.txt")
    strange.write_text("Tea")
    assert read_one(strange).name == "caf� .txt"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("photo.png", b"\x89PNG\r\n\x1a\n\0\0", "photo.png is not a UTF-8 or UTF-16 text file."),
        ("latin.txt", "Café".encode("latin-1"), "latin.txt is not a UTF-8 or UTF-16 text file."),
        ("empty.txt", b" \n", "empty.txt has no text."),
        ("scan.pdf", make_pdf(""), "scan.pdf has no text."),
        ("bad.pdf", b"%PDF-1.4\nnothing of it", "bad.pdf is damaged"),
        ("deep.html", b"<html>" + b"<div>" * 5000 + b"x", "deep.html is nested too deeply."),
    ],
)
def test_what_is_not_text_is_refused(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError) as refused:
        read_one(tmp_path / name)
    assert said in refused.value.message
    assert refused.value.hint


def test_a_file_that_is_not_there_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"Cannot read '.*none\.md': No such file or directory."):
        read_place(str(tmp_path / "none.md"))
    with pytest.raises(UsageError, match="it is not a valid name"):
        check_place("a\0b")
    monkeypatch.setattr(documents, "MAX_BYTES", 2**20)
    (tmp_path / "long.txt").write_text("x" * (2**20 + 1))
    with pytest.raises(UsageError, match=r"long\.txt is larger than 1 MB."):
        read_one(tmp_path / "long.txt")


def test_a_protected_pdf_says_so(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf("Tea"))))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(UsageError, match=r"locked\.pdf is protected by a password."):
        read_one(tmp_path / "locked.pdf")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    (tmp_path / "paper.pdf").write_bytes(make_pdf("Tea"))
    with pytest.raises(UsageError, match="needs the package 'pypdf'") as refused:
        read_one(tmp_path / "paper.pdf")
    assert refused.value.hint == "Run: pip install 'debate-tui[pdf]'"


# Folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with text, and with what does not count."""
    top = tmp_path / "docs"
    for name, data in {
        "b.md": b"Second",
        "a.txt": b"First",
        "below/c.py": b"Third",
        ".env": b"KEY=hidden",
        ".hidden/d.md": b"hidden",
        "logo.png": b"\x89PNG\0",
        "latin.txt": "é".encode("latin-1"),
        "paper.pdf": make_pdf("Tea"),
        "build/out.txt": b"ignored",
        "noise.log": b"ignored",
        ".gitignore": b"build/\n*.log\n",
    }.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(data)
    (tmp_path / "outside.txt").write_text("outside")
    (top / "link.txt").symlink_to(tmp_path / "outside.txt")
    return top


@pytest.mark.parametrize("in_repository", [True, False])
def test_a_folder_is_its_visible_text_files_in_order(folder: Path, in_repository: bool) -> None:
    if in_repository:
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
    found = read_place(str(folder))
    assert [(each.name, each.text) for each in found.documents] == [
        ("docs/a.txt", "First"),
        ("docs/b.md", "Second"),
        ("docs/below/c.py", "Third"),
    ]
    assert found.left_out == ("docs/latin.txt", "docs/logo.png", "docs/paper.pdf")


def test_a_folder_that_git_ignores_is_read_when_it_is_named(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    assert [each.name for each in read_place(str(folder / "build")).documents] == ["build/out.txt"]


def test_a_folder_of_a_repository_that_became_a_link_is_left_out(folder: Path, tmp_path: Path) -> None:
    for command in (["init", "-q"], ["add", "below"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    (folder / "below").rename(tmp_path / "elsewhere")
    (folder / "below").symlink_to(tmp_path / "elsewhere")
    assert [each.name for each in read_place(str(folder)).documents] == ["docs/a.txt", "docs/b.md"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_tracked_files_that_cannot_be_read_are_left_out(folder: Path) -> None:
    for command in (["init", "-q"], ["add", "below"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    (folder / "below").chmod(0)
    try:
        assert "docs/below/c.py" in read_place(str(folder)).left_out
    finally:
        (folder / "below").chmod(0o700)


def test_a_repository_cannot_name_a_program_to_run(folder: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    run = f"touch {tmp_path}/ran"
    subprocess.run(["git", "config", "core.fsmonitor", run], cwd=folder, check=True)
    assert read_place(str(folder)).documents
    assert not (tmp_path / "ran").exists()


def test_a_folder_without_text_or_with_too_many_files_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"The folder '.*empty' has no text files."):
        read_place(str(tmp_path / "empty"))
    monkeypatch.setattr(documents, "MAX_FILES", 2)
    with pytest.raises(UsageError, match=r"has more than 2 files."):
        read_place(str(folder))


# Web pages


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as running:
        yield running


async def read_url(url: str) -> TextDocument:
    import asyncio

    return (await asyncio.to_thread(read_place, url)).documents[0]


async def test_a_page_is_loaded_through_redirects_and_its_secrets_are_not_shown(
    server: ProviderServer,
) -> None:
    server.script("/old", ProviderReply(b"", 302, "", {"Location": "/new"}))
    server.script("/new", ProviderReply("<p>Caf\xe9".encode("latin-1"), 200, "text/html; charset=iso-8859-1"))
    url = f"{server.url.replace('//', '//ada:pass-word@')}/old?token=abcdefgh#part"
    document = await read_url(url)
    assert document.text == "Café"
    assert document.name == f"{server.url.replace('//', '//…@')}/old?token=…"
    assert server.requests[0].headers["user-agent"].startswith("debate-tui/")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (ProviderReply("Tea ☕".encode(), 200, "text/markdown"), "Tea ☕"),
        (ProviderReply(b"Tea \xe9", 200, "text/plain; charset=ISO-8859-1"), "Tea é"),
        (ProviderReply(make_pdf("Tea keeps."), 200, "application/pdf"), "Tea keeps."),
        (ProviderReply(b"Tea keeps.", 200, "application/octet-stream"), "Tea keeps."),
        (ProviderReply(b'{"tea": 1}', 200, "application/json"), '{"tea": 1}'),
    ],
)
async def test_the_text_of_an_address_is_decoded(
    server: ProviderServer, reply: ProviderReply, text: str
) -> None:
    server.script("/x", reply)
    assert (await read_url(f"{server.url}/x")).text == text


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (ProviderReply(b"gone", 404, "text/html"), "answered with 404"),
        (ProviderReply(b"\x89PNG\0", 200, "image/png"), "is image/png, not text."),
        (ProviderReply(b"\0\1", 200, "application/octet-stream"), "is not a UTF-8 or UTF-16 text file."),
        *(
            (ProviderReply(b"xn--\xff.", 200, f"text/plain; charset={odd}"), "is not a UTF-8 or UTF-16 text")
            for odd in ("undefined", "idna", "punycode", "zlib", "none-such")
        ),
        (ProviderReply(b"x" * 2**21, 200, "text/plain"), "It is larger than 1 MB."),
        (ProviderReply(b"Tea", 200, "text/plain", ending="stall"), "It did not arrive within 0 s."),
        (ProviderReply(b"Tea", 200, "text/plain", ending="reset"), "Cannot load"),
        (ProviderReply(b"", 302, "", {"Location": "file:///etc/passwd"}), "redirects to an invalid address"),
        (ProviderReply(b"", 302, "", {"Location": "/x"}), "redirects in a loop"),
    ],
)
async def test_what_is_no_text_at_an_address_is_refused(
    server: ProviderServer, reply: ProviderReply, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 2**20)
    if reply.ending == "stall":
        monkeypatch.setattr(documents, "DOWNLOAD_TIMEOUT_S", 0.3)
    server.script("/x", reply)
    with pytest.raises(UsageError) as refused:
        await read_url(f"{server.url}/x")
    assert said in refused.value.message
    assert server.url in refused.value.message


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "http://", "gopher://host"])
def test_only_web_addresses_are_loaded(url: str) -> None:
    with pytest.raises(UsageError, match="Cannot load"):
        read_place(url)
