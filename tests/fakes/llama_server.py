"""Stands in for llama.cpp's ``llama-server``: its options, its loading, its chat; a program of its own.

It notes in the folder `FAKE_LLAMA` how it was started (`started`, a JSON line each) and what it was asked
(`asked`). What stands in the file `failure_mode` there makes it fail: ``broken`` complains and exits,
``foreign`` dies of an instruction its processor does not have, ``slow`` never has its model loaded.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SAYS = ("Tea 🍵 ", "is ", "better", ".")
LOADING = 2
"""How often it is asked for its health before the model is loaded."""


def install(folder: Path) -> Path:
    """Put it into `folder` as ``llama-server``."""
    program = folder / "llama-server"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).read_text('utf-8')}", "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def notes(folder: Path, about: str) -> list[dict[str, object]]:
    """What was noted, oldest first."""
    file = folder / about
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def note(about: str, what: object) -> None:
    line = json.dumps(what) + "\n"
    with (Path(os.environ["FAKE_LLAMA"]) / about).open("a", encoding="utf-8") as file:
        file.write(line)


def failure_mode() -> str:
    file = Path(os.environ["FAKE_LLAMA"]) / "mood"
    return file.read_text("utf-8") if file.exists() else ""


class Handler(BaseHTTPRequestHandler):
    """Answers as the server does."""

    looks = 0

    def do_GET(self) -> None:
        Handler.looks += 1
        ready = self.path == "/health" and Handler.looks > LOADING and failure_mode() != "slow"
        self.answer(200 if ready else 503, b'{"status": "ok"}' if ready else b"{}")

    def do_DELETE(self) -> None:
        self.answer(204, b"")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        note("asked", {"key": self.headers["authorization"], "body": asked})
        if self.headers["authorization"] != f"Bearer {os.environ['LLAMA_API_KEY']}":
            self.answer(401, b'{"error": {"message": "Invalid API Key", "code": 401}}')
            return
        deltas: list[dict[str, object]] = [{"delta": {"content": text}, "index": 0} for text in SAYS]
        deltas.append({"delta": {}, "index": 0, "finish_reason": "stop"})
        chunks = [json.dumps({"object": "chat.completion.chunk", "choices": [delta]}) for delta in deltas]
        stream = "".join(f"data: {chunk}\n\n" for chunk in (*chunks, "[DONE]"))
        self.answer(200, stream.encode(), "text/event-stream")

    def answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


def main() -> None:
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    note("started", {"pid": os.getpid(), "options": options, "input": os.read(0, 1).decode()})
    match failure_mode():
        case "broken":
            print("0.00.013.492 I srv    load_model: loading model")
            print("0.00.021.544 E gguf_init_from_reader: invalid magic characters", flush=True)
            print("0.00.022.222 E srv  llama_server: exiting due to model loading error", flush=True)
            sys.exit(1)
        case "foreign":
            os.kill(os.getpid(), signal.SIGILL)
    ThreadingHTTPServer((options["--host"], int(options["--port"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
