"""Output to a pipe or file whose reader may be slow, stalled or gone."""

from __future__ import annotations

import asyncio
import io
import queue
import select
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, TextIO

from debate_tui.domain.errors import DebateError

if TYPE_CHECKING:
    from typing import Self

OUTPUT_TIMEOUT = 1.0
"""Seconds that the reader has to read the rest of the output after a signal."""


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
        self._jobs: queue.SimpleQueue[tuple[bytes, Future[None]] | None] = queue.SimpleQueue()
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
            self._thread = threading.Thread(target=self._run_writes, name="output", daemon=True)
            self._thread.start()
        done: Future[None] = Future()
        self._jobs.put((data.encode(self._encoding, "replace") if isinstance(data, str) else data, done))
        try:
            await asyncio.wrap_future(done)
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
            data, done = job
            if not done.set_running_or_notify_cancel():
                continue
            try:
                self._write_all(memoryview(data))
            except (OSError, ValueError) as error:  # writing to a closed file raises ValueError
                done.set_exception(error)
            else:
                done.set_result(None)

    def _write_all(self, data: memoryview) -> None:
        while data:
            written = self._file.write(data)
            if written is None:  # another user of the file has made it non-blocking
                select.select((), (self._file,), ())
            else:
                data = data[written:]
        self._file.flush()


async def finish_writing(writing: asyncio.Task[None]) -> None:
    """Wait until the rest of the output is written; give up after `OUTPUT_TIMEOUT` seconds."""
    await asyncio.wait((writing,), timeout=OUTPUT_TIMEOUT)
    writing.cancel()
