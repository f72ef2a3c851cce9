"""Addresses, and errors in plain words."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from redis import exceptions

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.record.redis.connection import RedisConnection
from debate_tui.record.redis.store import RedisStore
from debate_tui.record.stores import SqliteStore, open_store
from tests.record.redis.redis_operations import ROOT, open_stores

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.redis_server import RedisServer


async def test_an_address_says_what_kind_of_store_it_is(tmp_path: Path):
    for address in ("redis://h", "rediss://h:1/2", "valkey://h", "valkeys://h", "unix:///s?db=1&ttl=5"):
        store = open_store(address)
        assert isinstance(store, RedisStore)
        await store.aclose()
    for address in (tmp_path / "redis:x", str(tmp_path / "d.sqlite")):
        store = open_store(address)
        assert isinstance(store, SqliteStore)
        await store.aclose()


@pytest.mark.parametrize(
    "address",
    [
        "redis://:s3cret@host:port",
        "redis://u:s3cret@host:99999",
        "redis://u:s3cret@[::1",
        "redis://u:s3cret@host?nonsense=1",
        "redis://u:s3cret@host?ttl=soon",
        "redis://u:s3cret@host?socket_timeout=soon",
    ],
)
def test_an_address_that_is_none_is_explained_without_its_password(address: str):
    with pytest.raises(UsageError) as caught:
        open_store(address)
    assert "s3cret" not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"


async def test_a_wrong_password_is_explained_and_shown_nowhere(server: RedisServer):
    server.admin.config_set("requirepass", "right")
    address = server.url.replace("unix://", "unix://default:s3cret@")
    async with open_stores(address) as (store,):
        for use in (store.create, store.resume, store.watch, store.find, store.setup, store.delete):
            with pytest.raises(DebateError, match="refused the password") as caught:
                await use("d1")
            assert "s3cret" not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"


async def test_a_server_that_is_not_there_is_explained(tmp_path: Path):
    async with open_stores("redis://u:s3cret@127.0.0.1:1") as (store,):
        with pytest.raises(DebateError) as caught:
            await store.debates()
    assert caught.value.message == "Redis at 127.0.0.1:1 cannot be reached."
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.BusyLoadingError(), "loading"),
        (exceptions.NoPermissionError(), "does not permit"),
        (exceptions.MovedError("1 h:1"), "Cluster"),
        (exceptions.ClusterDownError("down"), "Cluster"),
        (exceptions.TimeoutError(), "did not answer"),
        (exceptions.ResponseError("MISCONF oh"), "reported: MISCONF oh"),
    ],
)
def test_every_error_has_plain_words_and_a_way_out(error: Exception, words: str):
    explained = RedisConnection(urlsplit("redis://u:s3cret@h")).describe_error(error)

    assert words in explained.message
    assert explained.message.startswith("Redis at h:6379 ")
    assert explained.hint


def test_without_the_package_the_address_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.startswith("debate_tui.record.redis")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(UsageError, match="needs the package 'redis'") as caught:
        open_store("redis://h")
    assert "debate-tui[redis]" in caught.value.hint


def test_redis_is_loaded_only_where_it_is_asked_for():
    program = "import sys, debate_tui.record.stores; sys.exit('redis' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
