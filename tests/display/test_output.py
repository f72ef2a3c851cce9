"""Output goes to where it should, and a reader that is slow or gone harms nothing else."""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from debate_tui.display.output import OutputWriter
from debate_tui.domain.errors import DebateError

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = Path("/dev/full")
MORE_THAN_A_PIPE_HOLDS = b"x" * 1_000_000


@pytest.fixture
def pipe() -> Iterator[tuple[io.FileIO, io.FileIO]]:
    reading, writing = os.pipe()
    with io.FileIO(reading, "rb") as reader, io.FileIO(writing, "wb") as writer:
        yield reader, writer


async def test_bytes_and_text_are_written_in_order() -> None:
    file = io.BytesIO()
    with OutputWriter(file, "latin-1") as outlet:
        await outlet.write(b"one ")
        await outlet.write("zwölf 漢")
    assert file.getvalue() == "one zwölf ?".encode("latin-1")


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
async def test_a_stalled_reader_stalls_only_the_output(
    pipe: tuple[io.FileIO, io.FileIO], blocking: bool
) -> None:
    reader, writer = pipe
    os.set_blocking(writer.fileno(), blocking)
    with OutputWriter(writer) as outlet:
        writing = asyncio.ensure_future(outlet.write(MORE_THAN_A_PIPE_HOLDS))
        await asyncio.sleep(0)
        assert not writing.done()
        read = 0
        while read < len(MORE_THAN_A_PIPE_HOLDS):
            read += len(await asyncio.to_thread(reader.read, 65536))
        await writing


async def test_a_closed_reader_is_reported(pipe: tuple[io.FileIO, io.FileIO]) -> None:
    reader, writer = pipe
    reader.close()
    with OutputWriter(writer) as outlet:
        for question in ("anybody?", "still not?"):
            with pytest.raises(BrokenPipeError):
                await outlet.write(question)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full device")
async def test_a_full_disk_is_an_error_for_people() -> None:
    refused = pytest.raises(DebateError, match="No space left")
    with io.FileIO(FULL, "wb") as full, OutputWriter(full) as outlet, refused:
        await outlet.write(b"text")


async def test_writing_to_a_closed_file_raises() -> None:
    file = io.BytesIO()
    file.close()
    with OutputWriter(file) as outlet, pytest.raises(ValueError, match="closed"):
        await outlet.write(b"text")


async def test_standard_streams_are_written_past_their_buffers(pipe: tuple[io.FileIO, io.FileIO]) -> None:
    reader, writer = pipe
    stream = io.TextIOWrapper(io.BufferedWriter(writer), encoding="ascii")
    stream.write("before ")
    with OutputWriter.for_stream(stream) as outlet:
        await outlet.write("after é")
    assert reader.read(100) == b"before after ?"
    assert fcntl.fcntl(writer.fileno(), fcntl.F_GETFD) >= 0


async def test_a_stream_without_a_descriptor_is_written_too() -> None:
    file = io.BytesIO()
    stream = io.TextIOWrapper(file, encoding="utf-8")
    stream.write("before ")
    with OutputWriter.for_stream(stream) as outlet:
        await outlet.write("é")
    assert file.getvalue() == "before é".encode()


def test_a_write_that_never_ends_does_not_keep_the_process() -> None:
    script = """
        import asyncio, sys
        from debate_tui.display.output import OutputWriter

        async def main():
            out = OutputWriter.for_stream(sys.stdout)
            writing = asyncio.ensure_future(out.write(b"x" * 1_000_000))
            await asyncio.wait([writing], timeout=0.01)
            writing.cancel()

        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    reading, writing = os.pipe()
    try:
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
        os.close(reading)
    assert (done.returncode, done.stderr) == (0, b"")
