"""Endpoints opened, requested, and read to their end or to their fault."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.stream import (
    Chunk,
    Fault,
    ResumePoint,
    TurnRequest,
)
from debate_tui.sources.endpoint_factory import EndpointFactory
from debate_tui.sources.http import HttpClients
from tests.fakes import tls
from tests.sources.source_reader import REQUEST, read_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import Source, StreamItem


@asynccontextmanager
async def open_endpoints(*, http2: bool = False) -> AsyncIterator[EndpointFactory]:
    endpoints = EndpointFactory(http2=http2, clients=HttpClients(make_tls_context=tls.client))
    try:
        yield endpoints
    finally:
        await endpoints.aclose()


async def collect(
    source: Source, resume: ResumePoint | None = None, request: TurnRequest = REQUEST
) -> list[StreamItem]:
    heard = await read_source(source, request, resume)
    if heard.fault:
        raise heard.fault
    return heard.items


async def read_fault(source: Source, resume: ResumePoint | None = None) -> Fault:
    heard = await read_source(source, REQUEST, resume)
    assert heard.fault, heard.items
    return heard.fault


def text_of(items: list[StreamItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, Chunk))


def data(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"
