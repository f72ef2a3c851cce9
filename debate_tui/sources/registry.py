"""Sources from specifications such as ``openai:gpt-5.2``; their modules are imported when needed."""

from __future__ import annotations

import difflib
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
from msgspec import Struct

from debate_tui.domain.debate import NO_PARAMETERS, ModelParameters, parse_parameter
from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.domain.sanitise import redact
from debate_tui.sources.credentials import check_url, has_key
from debate_tui.sources.providers import find_provider, providers
from debate_tui.sources.urls import url_host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from debate_tui.domain.stream import Source
    from debate_tui.sources.agent import Agents
    from debate_tui.sources.endpoint_factory import EndpointFactory
    from debate_tui.sources.local_model import LocalServers
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import SdkClients

    ProgressCallback = Callable[[str, str], None]
    PersonFactory = Callable[[str], Source]

SourceKind = Literal["agent", "demo", "endpoint", "local", "person", "provider"]

_SCHEME_KINDS: dict[str, SourceKind] = {
    "acp": "agent",
    "demo": "demo",
    "http": "endpoint",
    "https": "endpoint",
    "local": "local",
    "me": "person",
    "ws": "endpoint",
    "wss": "endpoint",
}


class SourceSpec(Struct, frozen=True):
    """A source as typed after ``-d``.

    `scheme` is the part before the colon; `detail` is the model or voice after it, the whole URL for an
    endpoint, the absolute path of the file for a local model, or an agent's name or command. `parameters` are
    those typed with it.
    """

    kind: SourceKind
    scheme: str
    detail: str
    parameters: ModelParameters = NO_PARAMETERS

    @property
    def public_name(self) -> str:
        """The specification to display and record; a URL has its credentials redacted."""
        if self.kind == "endpoint":
            return redact(self.detail)
        if self.kind == "agent":
            return redact(f"{self.scheme}:{self.detail}")
        name = f"{self.scheme}:{self.detail}" if self.detail else self.scheme
        typed = msgspec.to_builtins(self.parameters)
        query = "&".join(f"{key}={typed[key]}" for key in TYPED_PARAMETERS if key in typed)
        return f"{name}?{query}" if query else name

    @property
    def runs_command(self) -> bool:
        """Whether the source is a command to run on this machine, other than a known agent's."""
        if self.kind != "agent":
            return False
        from debate_tui.sources.known_agents import known_agents

        return self.detail not in known_agents()

    @property
    def takes_parameters(self) -> bool:
        """Whether the source is a model whose parameters can be set."""
        return self.kind in ("local", "provider")

    def merge_parameters(self, given: ModelParameters) -> ModelParameters:
        """Return the parameters to use: those `given` before those typed; none without a model."""
        return given.parameters.over(self.parameters) if self.takes_parameters else NO_PARAMETERS

    @property
    def model(self) -> str:
        """Model name to show until the source is made; empty if only the source knows it."""
        match self.kind:
            case "agent":
                from debate_tui.sources.known_agents import parse_agent

                return parse_agent(self.detail).title
            case "demo":
                return "scripted"
            case "endpoint":
                return url_host(self.detail)
            case "provider":
                return self.detail or find_provider(self.scheme).title
            case "local":
                return ""
            case "person":
                from debate_tui.sources.person import PERSON_MODEL

                return PERSON_MODEL


def parse_source(text: str) -> SourceSpec:
    """Parse a specification; raise `UsageError` if it names no known source or no model.

    Parameters may follow a model: ``openai:gpt-5.6-terra?effort=high&temperature=0.7``.
    """
    text = text.strip()
    if not text:
        raise UsageError("A source is empty.", "Name one: demo, openai:MODEL, https://host/path, …")
    name, _, query = text.partition("?")
    scheme, _, rest = name.partition(":")
    scheme = scheme.lower()
    match _SCHEME_KINDS.get(scheme):
        case "agent":  # a command may contain anything
            from debate_tui.sources.known_agents import parse_agent

            agent = parse_agent(text.partition(":")[2].strip())
            return SourceSpec("agent", scheme, agent.name or agent.command_line)
        case "endpoint":  # the query belongs to the URL
            if not text.partition(":")[2].strip("/"):
                raise UsageError(f"'{text}' is not an address.", "An endpoint looks like https://host/path.")
            check_url(text, (scheme,))
            return SourceSpec("endpoint", scheme, text)
        case "demo":
            return _parse_demo(text, rest, query)
        case "local":
            path = str(Path(rest).expanduser().absolute()) if rest else ""
            return SourceSpec("local", scheme, path, _parse_query(query, text))
        case "person":
            if text.lower() != "me":
                raise UsageError(f"Nothing can follow 'me' in '{text}'.", "Use -d me, or -d NAME=me.")
            return SourceSpec("person", scheme, "")
    if scheme not in providers():
        raise _unknown_provider(name, query)
    model = rest or find_provider(scheme).model
    return SourceSpec("provider", scheme, model, _parse_query(query, text))


def is_agent(text: str) -> bool:
    """Return whether a specification names an agent, valid or not."""
    return _SCHEME_KINDS.get(text.partition(":")[0].strip().lower()) == "agent"


def _unknown_provider(name: str, query: str) -> UsageError:
    scheme = name.partition(":")[0]
    quoted = "" if scheme == name else f" (in '{name}')"
    if suggestion := _suggest_source(name):
        hint = f"Did you mean '{suggestion}?{query}'?" if query else f"Did you mean '{suggestion}'?"
    else:
        hint = f"Write PROVIDER:MODEL, with one of {', '.join([*providers(), *_SCHEME_KINDS])}."
    return UsageError(f"No provider named '{scheme}'{quoted}.", hint)


_ADDRESS = re.compile(r"(?:localhost|[\w-]+(?:\.[\w-]+)+)(?::\d+(?:/.*)?|/.*)")


def _suggest_source(name: str) -> str:
    """Return the source that was probably meant, or nothing.

    `name` may be a misspelt provider, a model without its provider (``gpt-4o``, or ``qwen3:8b`` as Ollama
    tags it), a slash instead of the colon, a file, an agent, or an address without its scheme.
    """
    head, colon, rest = name.partition(":")
    known = [*providers(), *_SCHEME_KINDS]
    if name.endswith(".gguf"):
        return f"local:{name}"
    if _ADDRESS.fullmatch(name):
        return f"{'http' if head.startswith(('localhost', '127.')) else 'https'}://{name}"
    if "/" in head:
        provider, _, model = name.partition("/")
        return f"{provider}:{model}" if provider in known and not colon else f"openrouter:{name}"
    closest = next(iter(difflib.get_close_matches(head.lower(), known, n=1)), "")
    is_misspelt = difflib.SequenceMatcher(None, head.lower(), closest).ratio() > 0.85
    families = [(family, entry.name) for entry in providers().values() for family in entry.families]
    matching = [(len(family), family, owner) for family, owner in families if head.lower().startswith(family)]
    if matching and not is_misspelt:
        _, family, owner = max(matching)
        if head.lower() != family or not family.isalpha():
            return f"ollama:{name}" if colon else f"{owner}:{name}"
        closest = owner
    if not matching and _names_agent(name):
        return f"acp:{name.lower()}"
    return f"{closest}{colon}{rest}" if closest else ""


def _names_agent(name: str) -> bool:
    from debate_tui.sources.known_agents import known_agents

    return name.lower() in known_agents()


def _parse_demo(text: str, voice: str, query: str) -> SourceSpec:
    if query:
        raise UsageError(f"'{text}' has parameters, but the demo takes none.", f"Leave out '?{query}'.")
    if voice:
        from debate_tui.sources.demo.vocabulary import check_voice

        check_voice(voice)
    return SourceSpec("demo", "demo", voice)


def is_model_with_parameters(text: str) -> bool:
    """Return whether `text` is a model with parameters, even if it could be read in another way."""
    name, question, query = text.partition("?")
    known = name.partition(":")[0].lower() in (*providers(), "local")
    return bool(question) and known and query.partition("=")[0].strip() in TYPED_PARAMETERS


TYPED_PARAMETERS = ("effort", "temperature", "seed", "max_output_tokens")
"""The parameters that may follow a model; others can only be set in a debate file."""


def _parse_query(query: str, text: str) -> ModelParameters:
    """Parse ``effort=high&temperature=0.7``, a part of `text`; raise `UsageError` if it is not valid."""
    if not query:
        return NO_PARAMETERS
    values: dict[str, str] = {}
    for pair in query.split("&"):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if name not in TYPED_PARAMETERS:
            close = difflib.get_close_matches(name, TYPED_PARAMETERS, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else f"Use {', '.join(TYPED_PARAMETERS)}."
            if name in ModelParameters.__struct_fields__:
                hint = "Set it in a debate file."
            raise UsageError(f"The parameter '{name}' cannot be set in '{text}'.", hint)
        if not equals or not value or name in values:
            raise UsageError(f"The parameter '{name}' in '{text}' needs one value.", f"Write {name}=VALUE.")
        values[name] = value
    return ModelParameters(**{name: parse_parameter(name, value) for name, value in values.items()})


def check_availability(specification: SourceSpec) -> None:
    """Raise `ConfigError` if a required key is missing; may query the system keyring.

    A local model needs a file and a server instead, an agent its program.
    """
    if specification.kind == "agent":
        from debate_tui.sources.known_agents import check_agent

        check_agent(specification.detail)
    if specification.kind == "local":
        from debate_tui.sources.local_model import check_local_model

        check_local_model(specification.detail)
    if specification.kind != "provider":
        return
    asked = find_provider(specification.scheme)
    if not has_key(asked):
        raise ConfigError(f"No API key found for {asked.title}.", asked.key_hint)


def preload_sdk(specification: SourceSpec) -> None:
    """Import the SDK the source needs, if any, ahead of its first turn; blocking."""
    if specification.kind == "agent":
        from debate_tui.sources.agent import import_agent_protocol

        import_agent_protocol()
    if specification.kind not in ("local", "provider"):
        return
    from debate_tui.sources.sdk import import_sdk

    import_sdk(find_provider(specification.scheme).api if specification.kind == "provider" else "chat")


Owned = TypeVar("Owned", "Agents", "EndpointFactory", "LocalServers", "SdkClients")


class SourceFactory:
    """Makes sources and owns their shared connections; an async context manager that closes them.

    `model_folder` is the folder for downloaded models; `report_progress` is called with the current step of a
    local server's start and its progress, both empty when it is done. `log_line` is called with an agent's
    name and each line that it prints besides its messages. `make_person` returns the source of the debater
    with an id for whom a person writes; it is `None` without a screen. With `public_only`, endpoints on this
    machine or a private network are refused. With `readable_demo`, the demo is slow enough to be read.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 10.0,
        http2: bool = False,
        model_folder: Path | None = None,
        report_progress: ProgressCallback | None = None,
        log_line: Callable[[str, str], None] | None = None,
        make_person: PersonFactory | None = None,
        public_only: bool = False,
        readable_demo: bool = False,
    ) -> None:
        self._readable_demo = readable_demo
        self._make_person = make_person
        self._public_only = public_only
        self._connect_timeout = connect_timeout
        self._http2 = http2
        self._model_folder = model_folder
        self._report_progress = report_progress or (lambda _step, _progress: None)
        self._log_line = log_line or (lambda _agent, _line: None)
        self._owned = AsyncExitStack()
        self._agents: Agents | None = None
        self._local_servers: LocalServers | None = None
        self._endpoint_factory: EndpointFactory | None = None
        self._sdk_clients: SdkClients | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._owned.aclose()

    def _own(self, made: Owned) -> Owned:
        """Return what was made; it is closed with the factory, also if closing another fails."""
        self._owned.push_async_callback(made.aclose)
        return made

    def make(
        self,
        specification: SourceSpec,
        *,
        method: Literal["GET", "POST"] = "GET",
        background: bool = False,
        names: Sequence[str] = (),
        parameters: ModelParameters | None = None,
    ) -> Source:
        """Return the source for `specification`; a demo needs its voice named.

        `names` are the debater's id and name; chunks of an endpoint that several share may use either.
        `parameters` take precedence over those typed. No connection is made, and no SDK or HTTP client
        imported, until the source is opened.
        """
        asked = parameters.over(specification.parameters) if parameters else specification.parameters
        match specification.kind:
            case "agent":
                from debate_tui.sources.agent import Agents

                self._agents = self._agents or self._own(Agents(self._log_line))
                source: Source = self._agents.make(specification.detail)
            case "demo":
                from debate_tui.sources.demo import READABLE_SPEED, DemoSource

                return DemoSource(specification.detail, speed=READABLE_SPEED if self._readable_demo else 1.0)
            case "endpoint":
                source = self._make_endpoint(specification.detail, method, names)
            case "local":
                source = self._make_local(specification.detail, asked)
            case "person":
                return self._make_person_source(names[0] if names else "")
            case "provider":
                from debate_tui.sources.sdk import SdkClients

                self._sdk_clients = self._sdk_clients or self._own(
                    SdkClients(connect_timeout=self._connect_timeout)
                )
                provider = find_provider(specification.scheme)
                source = _make_model(specification.detail, provider, self._sdk_clients, asked, background)
                if provider.name in ("anthropic", "openai") and not provider.moved_by:
                    return source  # reasoning is never left in the text; at other addresses it may be
        from debate_tui.sources.reasoning_tags import ReasoningTagSource

        return ReasoningTagSource(source)

    def _make_endpoint(self, url: str, method: Literal["GET", "POST"], names: Sequence[str]) -> Source:
        from debate_tui.sources.endpoint_factory import EndpointFactory
        from debate_tui.sources.http import HttpClients

        if self._endpoint_factory is None:
            clients = HttpClients(connect_timeout=self._connect_timeout, public_only=self._public_only)
            self._endpoint_factory = self._own(EndpointFactory(http2=self._http2, clients=clients))
        return self._endpoint_factory.make(url, method=method, names=names)

    def _make_person_source(self, debater: str) -> Source:
        if self._make_person is None:
            from debate_tui.sources.person import needs_terminal

            raise needs_terminal()
        return self._make_person(debater)

    def _make_local(self, model: str, parameters: ModelParameters) -> Source:
        from debate_tui.sources.local_model import LocalServers

        self._local_servers = self._local_servers or self._own(
            LocalServers(_make_model, self._model_folder, self._report_progress)
        )
        return self._local_servers.make(model, parameters)


def _make_model(
    model: str,
    provider: Provider,
    sdk_clients: SdkClients,
    parameters: ModelParameters,
    background: bool = False,
) -> Source:
    if provider.api == "messages":
        from debate_tui.sources.anthropic import AnthropicSource

        return AnthropicSource(model, provider=provider, sdk_clients=sdk_clients, parameters=parameters)
    from debate_tui.sources.openai import OpenAISource

    return OpenAISource(
        model,
        provider=provider,
        sdk_clients=sdk_clients,
        background=background,
        parameters=parameters,
    )
