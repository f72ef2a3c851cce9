"""Optional request parameters: sent until a server refuses them, wherever it reports that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, cast

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.payloads.errors import ReportedFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.sources.providers import Provider

_SYSTEM_ROLE = "the system role"
"""Stands for the system role among the refused parameters; no parameter can have this name."""
_REFUSAL_STATUSES = (None, 400, 404, 422, 500, 501)
"""Chat templates fail with 500; OpenRouter returns 404 if no provider knows a parameter."""
_REFUSAL_KINDS = (FaultKind.BAD_REQUEST, FaultKind.SERVER, FaultKind.UNKNOWN)
_REFUSAL_WORDING = re.compile(
    r"support|recogni[sz]ed|unknown|unexpected|permitted|allowed|invalid|extra|verif(?:y|ied)|deprecated|\bonly\b"
    r"|\bmust\b|should be|too (?:large|high|big)|exceed|cannot|can't"
    r"|not (?:a valid|available|enabled|accepted|valid|one of)|不(?:支持|能|允许|合法)|无效|非法",
    re.IGNORECASE,
)
_SYSTEM_WORDING = re.compile(
    r"\b(?:system|developer)\b['\"`]?[ _-](?:role|message|prompt|instruction|turn)s?\b"
    r"|\broles?\b[^.\n]{0,40}\b(?:system|developer)\b|['\"`](?:system|developer)['\"`]"
    r"|messages?[.[]\d+\]?\.role|^system(?=:|$)|\bsystem *(?:角色|消息|提示)",
    re.ASCII | re.IGNORECASE | re.MULTILINE,
)
_ROLES_WORDING = re.compile(
    r"roles must alternate|['\"`]?user['\"`]?,? (?:or|and) ['\"`]?assistant|role only allows"
    r"|first message must be (?:a |from )?(?:the )?user"
    r"|without (?:a )?system (?:message|prompt)",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://\S{1,300}")


class RefusedParams(set[str]):
    """Names of the parameters a server has refused, remembered by its source between requests."""

    def __init__(self) -> None:
        super().__init__()
        self.told_settings: set[str] = set()
        """The user's settings that were refused, and reported as such."""


class OptionalParam(NamedTuple):
    """A value sent under the first of `names` that was not refused; see `OptionalParams.add`."""

    names: tuple[str, ...]
    value: object
    setting: str


class OptionalParams:
    """Parameters of one request that not every server supports.

    Support cannot be known in advance. A parameter that is refused is not sent again.
    """

    def __init__(self, refused: RefusedParams) -> None:
        self._refused = refused
        self._params: list[OptionalParam] = []
        self._features: list[str] = []

    def add(self, *names: str, value: object, setting: str = "") -> None:
        """Send `value` under the first of `names` that was not refused.

        Nested fields are joined by dots: ``reasoning.effort``. `setting` is the user's name for it, empty for
        what the program adds itself.
        """
        self._params.append(OptionalParam(names, value, setting))

    def add_feature(self, name: str) -> None:
        """Record that the request has a field of this name elsewhere, as long as `sends` allows it."""
        self._features.append(name)

    def sends(self, feature: str) -> bool:
        """Return whether a feature has not been refused."""
        return feature not in self._refused

    def add_parameters(self, parameters: ModelParameters, provider: Provider) -> None:
        """Send the user's settings, except those with an API-specific place."""
        if parameters.effort is not None:
            for name, value in provider.effort_params(parameters.effort):
                self.add(name, value=value, setting="effort")
        if parameters.temperature is not None:
            self.add("temperature", value=parameters.temperature, setting="temperature")
        if parameters.seed is not None:
            self.add("seed", value=parameters.seed, setting="seed")
        for name, value in parameters.extra_body.items():
            self.add(name, value=value, setting=f"extra_body.{name}")

    @property
    def body(self) -> dict[str, object]:
        """The parameters not refused, as fields of the request's body."""
        body: dict[str, object] = {}
        for param in self._params:
            if name := self._name(param):
                *parents, last = name.split(".")
                value = param.value
                for part in reversed((*parents, last)):
                    value = {part: value}
                _merge(body, cast("dict[str, object]", value))
        return body

    @property
    def system_in_user(self) -> bool:
        """Whether instructions go into the first user message because the system role was refused."""
        return not self.sends(_SYSTEM_ROLE)

    def drop_refused(self, fault: Fault) -> bool:
        """Stop sending what `fault` refuses (a parameter or the system role); return whether there was any.

        If a message names several, the program's own are dropped first: they may conflict with the user's.
        """
        if fault.kind not in _REFUSAL_KINDS or fault.status not in _REFUSAL_STATUSES:
            return False
        parameters = fault.parameters if isinstance(fault, ReportedFault) else ()
        report = _LINK.sub("", fault.report if isinstance(fault, ReportedFault) else fault.message)
        found = next((names for place in parameters if (names := self._find_mentioned(place))), [])
        if not found and (fault.status in (400, 422) or _REFUSAL_WORDING.search(report)):
            found = self._find_mentioned(report)
        if not found and not self.system_in_user and _refuses_system_role(parameters, report):
            found = [_SYSTEM_ROLE]
        self._refused.update(found)
        return bool(found)

    def _find_mentioned(self, text: str) -> list[str]:
        """Return the names of the sent parameters that `text` mentions, by name or by the user's setting.

        If it mentions a parent field, all its fields are returned.
        """
        sent = [name for name in self._features if self.sends(name)]
        own_first = sorted(self._params, key=lambda param: bool(param.setting))
        sent += [name for param in own_first if (name := self._name(param))]
        found = [name for name in sent if _mentions(text, name)][:1]
        found = found or [
            name
            for param in self._params
            if param.setting and _mentions(text, param.setting) and (name := self._name(param))
        ]
        return found or [name for name in sent if _mentions(text, name.partition(".")[0])]

    def take_dropped_settings(self) -> tuple[str, ...]:
        """Return the settings not sent because they were refused, each only once."""
        dropped = {param.setting: None for param in self._params if param.setting and not self._name(param)}
        untold = tuple(setting for setting in dropped if setting not in self._refused.told_settings)
        self._refused.told_settings.update(untold)
        return untold

    def _name(self, param: OptionalParam) -> str:
        return next((name for name in param.names if name not in self._refused), "")


def _mentions(text: str, name: str) -> bool:
    """Return whether `text` names a parameter: literally, in camel case, or as words."""
    spelling = "[ _-]?".join(map(re.escape, name.split("_")))
    return re.search(rf"(?<![\w-]){spelling}(?![\w-])", text, re.ASCII | re.IGNORECASE) is not None


def _refuses_system_role(parameters: Sequence[str], report: str) -> bool:
    if _ROLES_WORDING.search(report):
        return True
    refused = _REFUSAL_WORDING.search(report)
    return bool(refused and _SYSTEM_WORDING.search("\n".join((*parameters, report))))


def _merge(body: dict[str, object], more: dict[str, object]) -> None:
    for name, value in more.items():
        known = body.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value)
        else:
            body[name] = dict(value) if isinstance(value, dict) else value
