"""Settings: options, environment and files become one frozen value; every path is defined here.

In order of priority: options on the command line, environment variables (``DEBATE_TUI_MODE``), the debate
file, the user's settings file, what was remembered from the last run, and the defaults.
"""

# Annotations are not strings here: msgspec would have to compile strings at start-up.
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs
from msgspec import Meta, Struct, field

from debate_tui.domain import toml
from debate_tui.domain.debate import ModelParameters
from debate_tui.domain.errors import ConfigError, DebateError, UsageError
from debate_tui.domain.stream import RecoveryPolicy
from debate_tui.domain.text import decode_text

APP_NAME = "debate-tui"
ENVIRONMENT_PREFIX = "DEBATE_TUI_"

ModeName = Literal["synchronized", "staggered", "hybrid"]


def _about(description: str, *, unit: str = "", **bounds: Any) -> Meta:
    """Return the description of a setting, as shown in the README's table, and its bounds."""
    return Meta(description=description, extra={"unit": unit} if unit else None, **bounds)


class DebaterSettings(ModelParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[debater]]`` table of a file, or one ``-d`` option."""

    source: Annotated[str, _about("the source, as for -d")]
    name: Annotated[str, _about("the name above the pane", max_length=40)] = ""
    side: Annotated[str, _about("the side to argue; set by the format if empty")] = ""
    persona: Annotated[str, _about("how the debater should speak; part of the prompt")] = ""
    method: Annotated[Literal["GET", "POST"], _about("the HTTP method for an SSE endpoint")] = "GET"
    background: Annotated[
        bool, _about("OpenAI only: run each turn in background mode, which resumes exactly")
    ] = False
    context: Annotated[tuple[str, ...], _about("files and folders that only this debater is given")] = ()


class JudgeSettings(ModelParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[judge]]`` table of a file, for a judge with more settings than its source."""

    source: Annotated[str, _about("the judge's source, as for -d")]


class ModelPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The prices of a model: one ``[price."MODEL"]`` table."""

    input: Annotated[float, _about("the price of input", unit="US$ per million tokens", ge=0)]
    output: Annotated[float, _about("the price of output", unit="US$ per million tokens", ge=0)]
    cached: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        _about("the price of cached input; the same as `input` if not set", unit="US$ per million tokens"),
    ] = None


class ProviderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user-defined provider: one ``[provider.NAME]`` table, allowed only in the user's settings file.

    For a built-in provider, unset fields keep their built-in values.
    """

    base_url: Annotated[str | None, _about("the base URL, to which the API's paths are appended")] = None
    api: Annotated[
        Literal["chat", "responses", "messages"] | None,
        _about("the API to use; `chat` (Chat Completions) if not set"),
    ] = None
    key_env: Annotated[
        str | tuple[str, ...] | None, _about("the environment variable with the key, or several to try")
    ] = None
    key_command: Annotated[
        str | None, _about("a command that prints the key, run without a shell if no variable has it")
    ] = None
    headers: Annotated[
        dict[str, str] | None,
        _about("HTTP headers of each request; `{key}` stands for the key, which is then sent only there"),
    ] = None
    model: Annotated[str | None, _about("the model for `-d NAME`; else the first one the server lists")] = (
        None
    )
    title: Annotated[str | None, _about("the name to display; NAME if not set")] = None
    needs_key: Annotated[bool | None, _about("whether a key is required; true if there is a key setting")] = (
        None
    )
    effort_field: Annotated[
        str | None, _about("the field that `effort` sets, if not the API's own, such as `thinking.type`")
    ] = None
    usage_option: Annotated[bool | None, _about("false if the server rejects `stream_options`")] = None
    replays: Annotated[
        bool | None, _about("true for llama.cpp's server, which resumes interrupted streams")
    ] = None

    @property
    def fields(self) -> dict[str, object]:
        """The set fields by name, with `key_env` as a tuple."""
        names = self.__struct_fields__
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        return given | ({"key_env": (self.key_env,)} if isinstance(self.key_env, str) else {})


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings with their defaults; the descriptions make up the README's table."""

    topic: Annotated[str, _about("the question or motion to debate")] = ""
    format: Annotated[
        str, _about("the debate format; `oxford`, or `listen` if all debaters are plain endpoints")
    ] = ""
    rounds: Annotated[int | None, _about("the rounds of each repeated phase, instead of the format's")] = None
    mode: Annotated[ModeName, _about("when text is painted")] = "hybrid"
    window: Annotated[int, _about("the time between synchronized flushes", unit="ms", ge=10, le=5000)] = 100
    max_chunks: Annotated[int, _about("pending chunks that trigger a synchronized flush early", ge=1)] = 1000
    high_mark: Annotated[int, _about("unpainted text at which a pane's reader pauses", unit="KiB", ge=1)] = 64
    low_mark: Annotated[int, _about("unpainted text at which it resumes", unit="KiB", ge=0)] = 32
    theme: Annotated[str, _about("the colour theme: a built-in one, your own, or one of Textual's")] = ""
    ascii: Annotated[bool, _about("draw icons and lines in ASCII only")] = False
    judge: Annotated[
        tuple[str | JudgeSettings, ...], _about("sources that judge the debate, or `[[judge]]` tables")
    ] = ()
    report: Annotated[
        bool | str, _about("report on the debate after the verdicts: true for the first judge, or a source")
    ] = False
    max_cost: Annotated[
        Annotated[float, Meta(gt=0)] | None, _about("start no new turn after spending this much", unit="US$")
    ] = None
    max_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        _about("start no new turn after using this many tokens, input and output"),
    ] = None
    context: Annotated[tuple[str, ...], _about("files and folders for all debaters and judges")] = ()
    max_context: Annotated[int, _about("stop if a debater has more material", unit="characters", ge=1)] = (
        60_000
    )
    step: Annotated[bool, _about("on the full screen, wait for a key between rounds")] = False
    blind: Annotated[bool, _about("show the debaters as A, B, C and D, in random places, until the vote")] = (
        False
    )
    notify: Annotated[
        Literal["off", "bell", "desktop"],
        _about("when a debate ends or needs you: ring the bell, or send a desktop notification"),
    ] = "off"
    record: Annotated[bool, _about("record the debate in the history")] = True
    http2: Annotated[
        Literal["off", "auto"], _about("use HTTP/2 for GET endpoints without credentials that offer it")
    ] = "off"
    recovery: Annotated[RecoveryPolicy, _about("how streams recover")] = field(default_factory=RecoveryPolicy)
    price: Annotated[dict[str, ModelPrice], _about("prices of models, instead of the listed ones")] = {}
    provider: Annotated[dict[str, ProviderSettings], _about("your own providers; in `config.toml` only")] = {}
    debater: Annotated[tuple[DebaterSettings, ...], _about("two to four debaters")] = ()


def config_folder() -> Path:
    """Return the folder for the user's ``config.toml``, ``formats/`` and ``themes/``."""
    return platformdirs.user_config_path(APP_NAME, appauthor=False)


def user_file() -> Path:
    """Return the user's settings file, which may not exist."""
    return config_folder() / "config.toml"


def record_file() -> Path:
    """Return the SQLite file of all recorded debates; raise `ConfigError` if it is a symbolic link."""
    file = platformdirs.user_data_path(APP_NAME, appauthor=False) / "debates.sqlite3"
    if file.is_symlink():
        raise ConfigError(f"The record {file} is a symbolic link.", "Replace it with the file itself.")
    return file


def model_folder() -> Path:
    """Return the folder for downloaded models."""
    return platformdirs.user_data_path(APP_NAME, appauthor=False) / "models"


def state_file() -> Path:
    """Return the file that remembers the user's last choices."""
    return platformdirs.user_state_path(APP_NAME, appauthor=False) / "state.json"


class RememberedChoices(Struct, frozen=True, omit_defaults=True):
    """Choices remembered for the next run.

    Only `mode` and `theme` apply to every start; the others fill in the start screen.
    """

    mode: ModeName | None = None
    theme: str | None = None
    debaters: tuple[str, ...] | None = None
    format: str | None = None
    judges: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    personas: tuple[str, ...] | None = None
    rounds: int | None = None
    max_cost: float | None = None
    max_tokens: int | None = None
    step: bool | None = None


def load_remembered() -> RememberedChoices:
    """Read the remembered choices; all are unset if the file is missing or unreadable."""
    try:
        return msgspec.json.decode(state_file().read_bytes(), type=RememberedChoices)
    except (OSError, msgspec.DecodeError):
        return RememberedChoices()


def save_remembered(**chosen: str | float | tuple[str, ...] | None) -> None:
    """Remember choices for the next run; `None` forgets one. Errors while writing are ignored."""
    try:
        choice = msgspec.convert(chosen, RememberedChoices)
        new = msgspec.structs.replace(load_remembered(), **{key: getattr(choice, key) for key in chosen})
        write_private_file(state_file(), msgspec.json.encode(new))
    except OSError:
        return


def write_private_file(file: Path, data: bytes) -> None:
    """Write one of the program's own files, readable only by its owner.

    An existing file or symbolic link is replaced, never written to. Raise `OSError` if that fails.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(data)
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


class SettingsLayer(Struct, frozen=True):
    """The settings from one origin: remembered choices, a file, the environment or the command line.

    `file` is set for a file; `table` is then its content as it stands there.
    """

    kind: Literal["remembered", "file", "environment", "option"]
    values: Mapping[str, object]
    file: Path | None = None
    table: Mapping[str, Any] = {}

    @property
    def sources(self) -> Iterator[str]:
        """All sources that it names, of debaters, judges and a report."""
        for value in (self.values.get(name) for name in ("debater", "judge", "report")):
            for seat in value if isinstance(value, tuple) else (value,):
                source = getattr(seat, "source", seat)
                if isinstance(source, str):
                    yield source

    def origin(self, name: str) -> str:
        """Return what set `name`: a file, a variable, an option, or ``remembered``."""
        match self.kind:
            case "environment":
                return _variable_name(name)
            case "option":
                return option_name(name)
            case _:
                return str(self.file or self.kind)


def load_settings(
    options: Mapping[str, object],
    *,
    debate_file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Combine all layers of settings; `options` holds only what was typed.

    Raise `ConfigError` for an invalid file or variable, `UsageError` for an invalid option.
    """
    return combine_layers(load_layers(options, debate_file=debate_file, environment=environment))


def load_layers(
    options: Mapping[str, object],
    *,
    debate_file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> list[SettingsLayer]:
    """Return the layers of settings, the weakest first; raise the same errors as `load_settings`."""
    chosen = load_remembered()
    remembered = {"mode": chosen.mode, "theme": chosen.theme}
    layers = [
        SettingsLayer("remembered", {key: value for key, value in remembered.items() if value is not None})
    ]
    if user_file().exists():
        layers.append(_read_settings(user_file()))
    if debate_file is not None:
        layers.append(_read_debate_file(debate_file))
    layers.append(SettingsLayer("environment", dict(_environment_settings(environment))))
    layers.append(SettingsLayer("option", _check_options(options)))
    return layers


def combine_layers(layers: Iterable[SettingsLayer]) -> Settings:
    """Return the settings of all layers; raise `ConfigError` if they contradict each other."""
    settings = Settings()
    for layer in layers:
        settings = msgspec.structs.replace(settings, **layer.values)
    if settings.low_mark >= settings.high_mark:
        raise ConfigError(
            f"low_mark ({settings.low_mark} KiB) is not below high_mark ({settings.high_mark} KiB).",
            "Set low_mark below high_mark.",
        )
    return settings


def with_options(settings: Settings, options: Mapping[str, object]) -> Settings:
    """Return the settings with these options changed; raise `UsageError` if one is invalid."""
    return msgspec.structs.replace(settings, **_check_options(options))


def read_text(file: Path) -> str:
    """Return the text of a file; raise `ConfigError` if it cannot be read."""
    try:
        return decode_text(file.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"Cannot read {file}: {error.strerror}.", "Check its name and your permission to read it."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not a UTF-8 or UTF-16 text file.", "Save it as UTF-8.") from None


def _read_settings(file: Path) -> SettingsLayer:
    text = read_text(file)
    settings = _with_material(toml.decode_toml(text, Settings, file_name=str(file)), file.parent)
    table = tomllib.loads(text)
    return SettingsLayer("file", {key: getattr(settings, key) for key in table}, file, table)


def _with_material(settings: Settings, folder: Path) -> Settings:
    """Return a file's settings with its material found below `folder`."""
    debaters = (msgspec.structs.replace(d, context=_find_below(folder, d.context)) for d in settings.debater)
    return msgspec.structs.replace(
        settings, context=_find_below(folder, settings.context), debater=tuple(debaters)
    )


def _find_below(folder: Path, places: Iterable[str]) -> tuple[str, ...]:
    """Return where the material of a file is; the file may come from anyone, and names who is sent it."""
    folder = folder.absolute()  # so that no place starts with ~ or is -
    for place in places:
        parts = Path(place).parts
        is_below = (folder / place).resolve().is_relative_to(folder.resolve()) and "://" not in place
        if not parts or not is_below or any(part.startswith((".", "/")) for part in parts):
            raise ConfigError(
                f"'{place}' cannot be material in a file: it is hidden, or not below the file's folder.",
                f"Move it to {folder}, or use --context on the command line.",
            )
    return tuple(str(folder / place) for place in places)


def _read_debate_file(file: Path) -> SettingsLayer:
    """Read a debate file, which may come from anyone: it can run no command and send no key anywhere."""
    layer = _read_settings(file)
    if "provider" in layer.values:
        raise ConfigError(
            f"{file} has a [provider] table, which is not allowed in a debate file.",
            f"Move it to {user_file()}.",
        )
    return layer


def _variable_name(name: str) -> str:
    return ENVIRONMENT_PREFIX + name.upper()


def option_name(name: str) -> str:
    """Return the option on the command line that sets `name`."""
    return f"--{name.replace('_', '-')}"


_COMPOUND_SETTINGS = ("judge", "context", "recovery", "price", "provider", "debater")
"""Settings that cannot be set by an environment variable."""


def _environment_settings(environment: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    """Yield the settings in environment variables; the usual spellings of a switch are translated."""
    for name in Settings.__struct_fields__:
        variable = _variable_name(name)
        if name not in _COMPOUND_SETTINGS and (value := environment.get(variable)):
            value = {"yes": "true", "on": "true", "no": "false"}.get(value.lower(), value)
            yield name, _convert_setting(name, value, variable, ConfigError, strict=False)


def _check_options(options: Mapping[str, object]) -> dict[str, object]:
    return {
        name: _convert_setting(name, value, option_name(name), UsageError) for name, value in options.items()
    }


def _convert_setting(
    name: str, value: object, label: str, error: type[DebateError], *, strict: bool = True
) -> object:
    """Return a value as the type of its setting, or raise `error` with `label` as its name."""
    type_ = _setting_types()[name]
    try:
        return msgspec.convert(value, type_, strict=strict)
    except msgspec.ValidationError as problem:
        from debate_tui.domain.toml_errors import validation_error

        raise error(*validation_error(str(problem), value, type_, label)) from None


@cache
def _setting_types() -> dict[str, Any]:
    """Return the type of each setting; called only if there is something to check, because it is slow."""
    return {info.name: info.type for info in msgspec.structs.fields(Settings)}
