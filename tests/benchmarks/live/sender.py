"""Four streams in a process of their own, which send at a pace and tell when they have sent the last word."""

from __future__ import annotations

import multiprocessing
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from tests.benchmarks import sample_text
from tests.benchmarks.ingest import HEAD, PATHS, framed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

STREAMS = 4
TICK = 0.004
"""Seconds between two sends at the least: a network gathers, too."""

LAST_WORD = "Finis"
"""Followed by the stream's number, it is the last that a stream says."""


class Load(NamedTuple):
    """What every stream sends: so many deltas a second of so many characters, for so long.

    `send_buffer` is how much the system keeps of what was sent, in bytes; 0 for what it likes. Where the
    reader is slower, the sender is held back, and all takes longer.
    """

    path: str
    rate: float
    characters: int
    seconds: float
    send_buffer: int = 0


class Sender:
    """Answers the first `STREAMS` requests to `port`, whatever they ask for; a context manager."""

    def __init__(self, load: Load) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=STREAMS)
        self.port: int = self._listening.getsockname()[1]
        self._begun = 0
        self._reports, reporter = multiprocessing.Pipe(duplex=False)
        streams = [_chunks(load, number) for number in range(STREAMS)]
        self._process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(self._listening, streams, load, reporter), daemon=True
        )

    def __enter__(self) -> Self:
        self._process.start()
        self._listening.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def streaming(self) -> bool:
        """Whether all streams have begun."""
        while self._begun < STREAMS and self._reports.poll():
            self._reports.recv()
            self._begun += 1
        return self._begun == STREAMS

    def ended(self) -> float:
        """When the last stream had sent its last word, on the system's monotonic clock; waits for it."""
        return max(self._reports.recv() for _ in range(STREAMS))


def _chunks(load: Load, number: int) -> list[bytes]:
    text = sample_text.prose(int(load.rate * load.seconds) * load.characters)
    deltas = [*sample_text.deltas(text, load.characters), f"\n\n{LAST_WORD}{number}\n"]
    return framed(PATHS[load.path](deltas), 0)


def _serve(listening: socket.socket, streams: list[list[bytes]], load: Load, reporter: Connection) -> None:
    threads = []
    for chunks in streams:
        connection, _ = listening.accept()
        if load.send_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, load.send_buffer)
        thread = threading.Thread(target=_answer, args=(connection, chunks, load.rate, reporter))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    listening.close()


def _answer(connection: socket.socket, chunks: list[bytes], rate: float, reporter: Connection) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, suppress(ConnectionError):
        _skip_request(connection)
        connection.sendall(HEAD)
        began = time.monotonic()
        reporter.send(began)
        sent = 0
        while sent < len(chunks):
            due = min(len(chunks), int((time.monotonic() - began) * rate) + 1)
            if due > sent:
                connection.sendall(b"".join(chunks[sent:due]))
                sent = due
            if sent < len(chunks):
                time.sleep(max(TICK, began + sent / rate - time.monotonic()))
        reporter.send(time.monotonic())


def _skip_request(connection: socket.socket) -> None:
    with connection.makefile("rb") as request:
        fields = iter(request.readline, b"\r\n")
        length = sum(int(line[15:]) for line in fields if line.lower().startswith(b"content-length:"))
        request.read(length)
