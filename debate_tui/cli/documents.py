"""Documents as text: files, folders, web pages, and standard input.

Text is decoded and never changed beyond its line ends; only HTML and PDF are converted. The libraries for
that, and the HTTP client, are imported on use.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.errors import UsageError
from debate_tui.domain.sanitise import one_line, redact
from debate_tui.domain.text import decode_text
from debate_tui.domain.wording import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_INPUT: Final = "-"

MAX_BYTES: Final = 32 * 2**20
"""Largest file, page or input that is read."""

MAX_FILES: Final = 1000
"""Most files that are read from a folder."""

DOWNLOAD_TIMEOUT_S: Final = 30.0
"""Seconds that a web page may take, redirects included."""

MAX_NAME_CHARACTERS: Final = 120

_START_BYTES: Final = 8192
"""Length of a file's start that tells whether it is text."""


class TextDocument(Struct, frozen=True):
    """A text and the name that it is known by, on one line."""

    name: str
    text: str


class PlaceContents(Struct, frozen=True):
    """What was read from one place; `left_out` names the files of a folder that have no text."""

    documents: tuple[TextDocument, ...]
    left_out: tuple[str, ...] = ()


def is_url(place: str) -> bool:
    """Return whether a place is a web address, of whatever scheme, and not the name of a file."""
    return "://" in place


def check_place(place: str) -> None:
    """Raise `UsageError` if there is nothing to read at a place, as far as that is known at once."""
    if is_url(place):
        from debate_tui.sources.urls import find_url_problem

        if problem := find_url_problem(place, ("http", "https")):
            raise UsageError(f"Cannot load {_shown_url(place)}: {problem}.", "Check the address.")
    elif place != STANDARD_INPUT:
        try:
            Path(place).expanduser().stat()
        except (OSError, ValueError) as error:
            raise _unreadable(place, error) from None


def read_place(place: str) -> PlaceContents:
    """Read a file, the text files of a folder, a web page, or standard input (``-``).

    Raise `UsageError` if there is nothing to read, or anything but text.
    """
    check_place(place)
    if place == STANDARD_INPUT:
        return PlaceContents((_read_standard_input(),))
    if is_url(place):
        return PlaceContents((_load_page(place),))
    path = Path(place).expanduser()
    return read_folder(path) if path.is_dir() else PlaceContents((read_file(path),))


def read_file(path: Path, name: str = "") -> TextDocument:
    """Read a file, under its own name if no other is given."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(str(path), error) from None
    return _to_document(_clean_name(name or path.name), data, suffix=path.suffix.lower())


def _unreadable(place: str, error: OSError | ValueError) -> UsageError:
    reason = (error.strerror if isinstance(error, OSError) else None) or "it is not a valid name"
    return UsageError(
        f"Cannot read '{_clean_name(place)}': {reason}.", "Check its name and your permission to read it."
    )


def _read_standard_input() -> TextDocument:
    if sys.stdin is None:
        raise UsageError("Standard input is closed, so it cannot be material.")
    return _to_document("standard input", sys.stdin.buffer.read(MAX_BYTES + 1))


# Folders


def read_folder(folder: Path) -> PlaceContents:
    """Read the text files of a folder and of those below it, in the order of their names.

    Hidden files, links and files that git ignores are left out.
    """
    documents: list[TextDocument] = []
    left_out: list[str] = []
    top = folder.resolve().name
    for path in _visible_files(folder):
        name = "/".join(filter(None, (top, path.relative_to(folder).as_posix())))
        try:
            if _looks_like_text(path):
                documents.append(read_file(path, name))
                continue
        except UsageError:
            pass  # shown like all others that are left out
        left_out.append(_clean_name(name))
    if not documents:
        raise UsageError(
            f"The folder '{_clean_name(str(folder))}' has no text files.",
            "Hidden files, links and files that git ignores are left out.",
        )
    return PlaceContents(tuple(documents), tuple(left_out))


def _visible_files(folder: Path) -> list[Path]:
    found: set[Path] = set()
    top = folder.resolve()
    for relative in _git_files(folder) or _walk(folder):
        path = folder / relative
        is_hidden = any(part.startswith(".") for part in Path(relative).parts)
        if is_hidden or path.resolve() != top / relative or not _is_file(path):
            continue
        found.add(path)
        if len(found) > MAX_FILES:
            raise UsageError(
                f"The folder '{_clean_name(str(folder))}' has more than {count_of(MAX_FILES, 'file')}.",
                "Name the files, or a smaller folder.",
            )
    return sorted(found)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:  # In a folder that cannot be entered: reading it says so.
        return True


def _git_files(folder: Path) -> list[str]:
    """Return the files of a folder that git does not ignore; none if it is not in a repository.

    There are none either if git ignores the whole folder: its user named it on purpose.
    """
    if (git := shutil.which("git")) is None:
        return []
    # A repository's own settings may name a program to run as its file system monitor.
    command = [git, "-c", "core.fsmonitor=false", "ls-files", "-z", "--cached", "--others"]
    try:
        listed = subprocess.run(  # noqa: S603 (the words are fixed)
            [*command, "--exclude-standard"], cwd=folder, capture_output=True, check=False
        )
    except OSError as error:
        raise _unreadable(str(folder), error) from None
    return [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name] if not listed.returncode else []


def _walk(folder: Path) -> Iterator[str]:
    """Yield the files of a folder that is not in a repository, except those its own .gitignore names."""
    from pathspec import GitIgnoreSpec

    ignore_file = folder / ".gitignore"
    ignored = GitIgnoreSpec.from_lines(
        ignore_file.read_text("utf-8", "replace").splitlines() if ignore_file.is_file() else ()
    )
    for root, folders, files in os.walk(folder):
        below = Path(root).relative_to(folder)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not ignored.match_file(f"{(below / name).as_posix()}/")
        )
        for name in sorted(files):
            relative = (below / name).as_posix()
            if not ignored.match_file(relative):
                yield relative


def _looks_like_text(path: Path) -> bool:
    """Return whether a file has text, as far as its start shows; PDF does not count."""
    try:
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
    except OSError as error:
        raise _unreadable(str(path), error) from None
    return "\0" not in decode_text(start, "ignore") and not _is_pdf(start)


# Web pages


def _load_page(url: str) -> TextDocument:
    import asyncio

    from debate_tui.domain.stream import Fault
    from debate_tui.sources.http import download

    shown = _shown_url(url)
    try:
        page = asyncio.run(download(url, max_bytes=MAX_BYTES, timeout_s=DOWNLOAD_TIMEOUT_S))
    except Fault as fault:
        raise UsageError(f"Cannot load {shown}: {fault.message}", fault.hint) from None
    suffix = ".html" if page.media_type in ("text/html", "application/xhtml+xml") else ""
    if page.media_type.partition("/")[0] in ("image", "audio", "video", "font"):
        raise UsageError(f"{shown} is {page.media_type}, not text.", "Give the address of a page or text.")
    return _to_document(shown, page.data, suffix=suffix, charset=page.charset)


def _shown_url(url: str) -> str:
    """Return an address without credentials and secrets, to be shown, recorded and sent to models."""
    return _clean_name(redact(url.partition("#")[0]))


def _clean_name(name: str) -> str:
    return one_line(name, MAX_NAME_CHARACTERS)


# Text, whatever it is written in


def _to_document(name: str, data: bytes, *, suffix: str = "", charset: str = "") -> TextDocument:
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES >> 20} MB.", "Give the part that matters.")
    if _is_pdf(data):
        text = _pdf_to_text(name, data)
    elif suffix in (".html", ".htm", ".xhtml") or (not suffix and _STARTS_LIKE_HTML.match(data)):
        text = _html_to_text(name, data, charset)
    else:
        text = _decode(name, data, charset)
    # An encoding may stand for half a character, which no store and no provider takes.
    text = text.encode("utf-8", "replace").decode("utf-8").strip("\n")
    if not text.strip():
        raise UsageError(f"{name} has no text.", "If it is a scan, run text recognition (OCR) on it first.")
    return TextDocument(name, text)


_STARTS_LIKE_HTML = re.compile(rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)\b")


def _decode(name: str, data: bytes, charset: str) -> str:
    try:
        text = data.decode(charset) if charset else decode_text(data)
    except (UnicodeError, LookupError):  # some of Python's codecs raise no `UnicodeDecodeError`
        text = "\0"
    if "\0" in text:
        raise UsageError(f"{name} is not a UTF-8 or UTF-16 text file.", "Give text in UTF-8, HTML or PDF.")
    return text.replace("\r\n", "\n").replace("\r", "\n") if charset else text


def _is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:1024]


_NOT_TEXT = ("script", "style", "noscript", "template", "svg", "iframe", "nav", "footer", "select", "button")
"""Elements of a page that its text does not include."""

_MARKED_UP = ["a", "abbr", "b", "del", "em", "i", "img", "s", "strong", "sub", "sup"]
"""Elements whose markup would stand between the words that debaters quote."""


def _html_to_text(name: str, data: bytes, charset: str) -> str:
    """Return the text of a page as Markdown with headings, lists, tables and code, and no other markup."""
    from bs4 import BeautifulSoup
    from markdownify import MarkdownConverter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about input that looks like something else
        page = BeautifulSoup(data, "html.parser", from_encoding=charset or None)
    try:
        for element in page(_NOT_TEXT):
            element.decompose()
        mains = page("main") or page("article")
        converter = MarkdownConverter(
            heading_style="atx",
            bullets="-",
            strip=_MARKED_UP,
            escape_asterisks=False,
            escape_underscores=False,
            escape_misc=False,
        )
        text: str = converter.convert_soup(mains[0] if len(mains) == 1 else page.body or page)
    except RecursionError:
        raise UsageError(f"{name} is nested too deeply.", "Save its text, and give that.") from None
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE))


def _pdf_to_text(name: str, data: bytes) -> str:
    try:
        from pypdf import PdfReader
        from pypdf.errors import DependencyError, PyPdfError
    except ImportError:
        raise UsageError(
            f"Reading {name} needs the package 'pypdf'.", "Run: pip install 'debate-tui[pdf]'"
        ) from None
    import logging
    import zlib

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports every flaw of a file
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UsageError(f"{name} is protected by a password.", "Save a copy without one.")
        return "\n\n".join(page.extract_text() for page in reader.pages)
    except DependencyError:
        raise UsageError(f"{name} is encrypted.", "Save an unencrypted copy.") from None
    # What a damaged file makes of pypdf's own structures.
    except (PyPdfError, LookupError, ValueError, TypeError, AttributeError, RecursionError, zlib.error):
        raise UsageError(f"{name} is damaged: it is not a valid PDF file.", "Save it again.") from None
