"""From ``openai:gpt-5.2`` to a source: what is typed for ``-d`` is read, and its module imported late."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.sources.address import check_address, host, without_secrets
from debate_tui.sources.keys import key_found
from debate_tui.sources.providers import provider, providers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from debate_tui.domain.stream import Source
    from debate_tui.sources.endpoints import Endpoints
    from debate_tui.sources.local import LocalServers
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import SdkClients

    Tell = Callable[[str, str], None]

Kind = Literal["demo", "endpoint", "local", "provider"]

_SCHEMES: dict[str, Kind] = {
    "demo": "demo",
    "http": "endpoint",
    "https": "endpoint",
    "local": "local",
    "ws": "endpoint",
    "wss": "endpoint",
}


class Specification(Struct, frozen=True):
    """A source as typed.

    `scheme` is what stands before the colon; `detail` the model or voice behind it, for an endpoint the whole
    address, for a local model the absolute path of its file.
    """

    kind: Kind
    scheme: str
    detail: str

    @property
    def public(self) -> str:
        """The specification as it may be shown and recorded: an address without its credentials."""
        if self.kind == "endpoint":
            return without_secrets(self.detail)
        return f"{self.scheme}:{self.detail}" if self.detail else self.scheme

    @property
    def model(self) -> str:
        """What to call the model until its source is made; empty where only that knows."""
        match self.kind:
            case "demo":
                return "scripted"
            case "endpoint":
                return host(self.detail)
            case "provider":
                return self.detail or provider(self.scheme).title
            case "local":
                return ""


def parse(text: str) -> Specification:
    """Read a specification; raises `UsageError` for one that names no known source, or no model."""
    if not text.strip():
        raise UsageError("A source is empty.", "Name one: demo, openai:MODEL, https://host/path, …")
    scheme, _, rest = text.strip().partition(":")
    scheme = scheme.lower()
    if kind := _SCHEMES.get(scheme):
        if kind == "endpoint":
            if not rest.strip("/"):
                raise UsageError(f"`{text}` is no address.", "An endpoint looks like https://host/path.")
            check_address(text.strip(), (scheme,))
        if kind == "demo" and rest:
            from debate_tui.sources.demo.material import check_voice

            check_voice(rest)
        if kind == "local" and rest:
            rest = str(Path(rest).expanduser().absolute())
        return Specification(kind, scheme, text.strip() if kind == "endpoint" else rest)
    if scheme not in providers():
        known = [*providers(), *_SCHEMES]
        close = difflib.get_close_matches(scheme, known, n=1)
        raise UsageError(
            f"There is no provider `{scheme}` (in `{text}`).",
            f"Did you mean {close[0]}:…?" if close else f"There are: {', '.join(known)}.",
        )
    return Specification("provider", scheme, rest or provider(scheme).model)


def check_key(specification: Specification) -> None:
    """Raise `ConfigError` if a provider needs a key and none is found; may ask the system keyring.

    A local model needs a file and a server instead.
    """
    if specification.kind == "local":
        from debate_tui.sources.local import check

        check(specification.detail)
    if specification.kind != "provider":
        return
    asked = provider(specification.scheme)
    if not key_found(asked):
        raise ConfigError(
            f"No key for {asked.title} was found.",
            f"Set {' or '.join(asked.key_env)}, or store one: keyring set debate-tui {asked.name}",
        )


def preload(specification: Specification) -> None:
    """Import the SDK the source speaks through, if it needs one, before its first turn would; blocks."""
    if specification.kind not in ("local", "provider"):
        return
    from debate_tui.sources import sdk

    if specification.kind == "provider" and provider(specification.scheme).api == "messages":
        sdk.load_anthropic()
    else:
        sdk.load_openai()


class Sources:
    """Makes sources, and owns the connections they share; an async context manager that closes them.

    `models` is the folder for fetched models; `tell` is called with what a local server's start is waiting
    for and how far that is, both empty once it is over.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 10.0,
        http2: bool = False,
        models: Path | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._connect_timeout = connect_timeout
        self._http2 = http2
        self._models = models
        self._tell = tell or _nobody
        self._local: LocalServers | None = None
        self._endpoints: Endpoints | None = None
        self._sdk: SdkClients | None = None
        self._made: list[Source] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for source in self._made:
            await source.aclose()
        if self._endpoints is not None:
            await self._endpoints.aclose()
        if self._sdk is not None:
            await self._sdk.aclose()
        if self._local is not None:
            await self._local.aclose()

    def make(
        self,
        specification: Specification,
        *,
        method: Literal["GET", "POST"] = "GET",
        background: bool = False,
        names: Sequence[str] = (),
    ) -> Source:
        """The source that `specification` describes; a demo needs its voice named.

        `names` are what an endpoint's chunks may call the debater by, where several share its address.
        Nothing is connected, and no SDK or HTTP client imported, before the source is opened.
        """
        match specification.kind:
            case "demo":
                source = self._demo(specification.detail)
            case "endpoint":
                source = self._endpoint(specification.detail, method, names)
            case "local":
                source = self._served_here(specification.detail)
            case "provider":
                source = self._model(specification, background)
        self._made.append(source)
        return source

    def _demo(self, voice: str) -> Source:
        from debate_tui.sources.demo import DemoSource

        return DemoSource(voice)

    def _endpoint(self, url: str, method: Literal["GET", "POST"], names: Sequence[str]) -> Source:
        from debate_tui.sources.endpoints import Endpoints

        self._endpoints = self._endpoints or Endpoints(
            connect_timeout=self._connect_timeout, http2=self._http2
        )
        return self._endpoints.make(url, method=method, names=names)

    def _served_here(self, model: str) -> Source:
        from debate_tui.sources.local import LocalServers

        self._local = self._local or LocalServers(_compatible, self._models, self._tell)
        return self._local.make(model)

    def _model(self, specification: Specification, background: bool) -> Source:
        from debate_tui.sources.sdk import SdkClients

        self._sdk = self._sdk or SdkClients(connect_timeout=self._connect_timeout)
        asked = provider(specification.scheme)
        if asked.api == "messages":
            from debate_tui.sources.anthropic import AnthropicSource

            return AnthropicSource(specification.detail, sdk=self._sdk, provider=asked)
        from debate_tui.sources.openai import OpenAISource

        return OpenAISource(specification.detail, provider=asked, sdk=self._sdk, background=background)


def _compatible(model: str, provider: Provider, sdk: SdkClients) -> Source:
    from debate_tui.sources.openai import OpenAISource

    return OpenAISource(model, provider=provider, sdk=sdk)


def _nobody(_what: str, _how_far: str) -> None:
    """Who is told when nobody asked to be."""
