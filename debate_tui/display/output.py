"""Output to a pipe or file whose reader may be slow, stalled or gone."""

from __future__ import annotations

import asyncio
import contextlib
import io
import queue
import select
import threading
from typing import TYPE_CHECKING, Protocol, TextIO

from debate_tui.domain.errors import DebateError

if TYPE_CHECKING:
    from typing import Self

    WriteJob = tuple[bytes, asyncio.AbstractEventLoop, asyncio.Future[None]]


class OutputFile(Protocol):
    """The required part of a binary file; `write` may take less than it was given, or return `None`."""

    def write(self, data: memoryview, /) -> int | None: ...
    def flush(self) -> None: ...
    def fileno(self) -> int: ...


class OutputWriter:
    """A binary file that is written in its own thread.

    A pager that stops reading stalls only the output: streams are still read and signals still handled. The
    thread is a daemon, so a write that never ends does not keep the process alive; leaving the `with` block
    lets the thread end. Text is encoded in `encoding`, with ``?`` for unencodable characters. If `required`
    is false, an error closes the output: later writes are dropped.
    """

    def __init__(self, file: OutputFile, encoding: str = "utf-8", *, required: bool = True) -> None:
        self._file = file
        self._encoding = encoding
        self._required = required
        self._is_broken = False
        self._jobs: queue.SimpleQueue[WriteJob | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @classmethod
    def for_stream(cls, stream: TextIO, *, required: bool = True) -> OutputWriter:
        """Return a writer to the file that a standard stream is connected to.

        It bypasses the stream's own buffers, whose locks an endless write would hold at exit.
        """
        if required:
            stream.flush()
        try:
            file: OutputFile = io.FileIO(stream.fileno(), "wb", closefd=False)
        except io.UnsupportedOperation:  # not a real file
            file = stream.buffer
        return cls(file, stream.encoding, required=required)

    async def write(self, data: bytes | str) -> None:
        """Write all of `data` and flush.

        Raise `BrokenPipeError` if the reader has closed the output, and `DebateError` for any other error,
        such as a full disk. A cancelled write may still happen.
        """
        if self._is_broken:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run_writes, name="outlet", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        encoded = data.encode(self._encoding, "replace") if isinstance(data, str) else data
        self._jobs.put((encoded, loop, done))
        try:
            await done
        except (OSError, ValueError) as error:
            if not self._required:
                self._is_broken = True
            elif isinstance(error, BrokenPipeError) or not isinstance(error, OSError):
                raise
            else:
                raise DebateError(f"Cannot write the output: {error.strerror or error}.") from error

    def close(self) -> None:
        """Let the thread end once everything is written; the file stays open."""
        self._jobs.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run_writes(self) -> None:
        while (job := self._jobs.get()) is not None:
            data, loop, done = job
            error = self._write_all(memoryview(data))
            with contextlib.suppress(RuntimeError):  # the loop was closed, so nothing waits for the result
                loop.call_soon_threadsafe(_resolve_write, done, error)

    def _write_all(self, data: memoryview) -> OSError | ValueError | None:
        try:
            while data:
                written = self._file.write(data)
                if written is None:  # another user of the file has made it non-blocking
                    select.select((), (self._file,), ())
                else:
                    data = data[written:]
            self._file.flush()
        except (OSError, ValueError) as error:  # writing to a closed file raises ValueError
            return error
        return None


OUTPUT_TIMEOUT = 1.0
"""Seconds that the reader has to read the rest of the output after a signal."""


async def finish_writing(writing: asyncio.Task[None]) -> None:
    """Wait until the rest of the output is written; give up after `OUTPUT_TIMEOUT` seconds."""
    await asyncio.wait((writing,), timeout=OUTPUT_TIMEOUT)
    writing.cancel()


def _resolve_write(done: asyncio.Future[None], error: OSError | ValueError | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
