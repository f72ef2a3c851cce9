"""What every test may rely on: its own folders, no keys, no remembered choices, and no way out."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pathlib import Path

# How long an example takes is a matter of what else the machine does.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_connect = socket.socket.connect


def pytest_xdist_auto_num_workers() -> int:
    """Run three tests for every two cores: most of them wait for sockets and processes."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, state and records of a test are its own; keys and settings of the machine are not there."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    for variable in os.environ:
        if variable.startswith("DEBATE_TUI_") or variable.endswith(("_API_KEY", "_BASE_URL", "_AUTH_TOKEN")):
            monkeypatch.delenv(variable)
    for variable in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR", "OLLAMA_HOST"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return home


@pytest.fixture(autouse=True, scope="session")
def hangups_are_heard() -> None:
    """Programs that tests start hear hang-ups, also where the tests themselves run under ``nohup``."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that tries to leave the machine fails."""

    def connect(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to reach {address[0]}")
        _connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def quick_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits for another try, or for nothing."""
    from debate_tui.record.redis import log, store

    monkeypatch.setattr(log, "RETRY_S", 0.01)
    monkeypatch.setattr(store, "RETRY_S", 0.01)
    monkeypatch.setattr(store, "BLOCK_MS", 20)
