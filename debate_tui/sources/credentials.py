"""Where keys come from: the environment, a command, the system keyring; and how they are kept out of sight.

In the keyring a provider's key is the password of user PROVIDER of the service ``debate-tui``; one is stored
with ``keyring set debate-tui openai``.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from debate_tui.domain.errors import UsageError
from debate_tui.domain.sanitise import API_KEY_PATTERN
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.network import clean_value, find_url_problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import Popen

    from debate_tui.sources.providers import Provider


KEYRING_SERVICE = "debate-tui"

# Beside what looks like a key: tokens, and the starred fragments that OpenAI's answer to a wrong key quotes.
_TOKEN_PATTERN = re.compile(r"(?i:(?<=bearer )[^\s'\"]{4,})|(?<![\w\-.])[\w\-.]*+\*{3,}[\w\-.*]*")
KEY_MASK = "[key]"


def find_key_variable(provider: Provider, environ: Mapping[str, str] = os.environ) -> str:
    """The environment variable that holds the provider's key; empty if none does."""
    return next((name for name in provider.key_env if clean_value(environ.get(name, ""))), "")


def key_in_environment(provider: Provider, environ: Mapping[str, str] = os.environ) -> str:
    """The provider's key as an environment variable has it; empty if none has."""
    return clean_value(environ.get(find_key_variable(provider, environ), ""))


def key_in_keyring(provider: Provider) -> str:
    """The provider's key as the system keyring has it; empty if it has none, or there is no keyring.

    Blocks, for as long as the keyring asks its user to be unlocked.
    """
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return ""
    # Backends raise the errors of whatever they are made of; none of these is worth more than "no key".
    try:
        return clean_value(keyring.get_password(KEYRING_SERVICE, provider.name) or "")
    except (keyring.errors.KeyringError, ImportError, OSError, RuntimeError, ValueError):
        return ""


KEY_COMMAND_TIMEOUT_S = 10.0
_MAX_KEY_OUTPUT = 1 << 16


def key_from_command(provider: Provider) -> str:
    """The first line that the provider's `key_command` prints; blocks for up to `KEY_COMMAND_TIMEOUT_S`.

    It is run without a shell, and away from the terminal. Raises an `auth` fault where it fails; what it
    prints is told to no one, as there may be a key in it.
    """
    output, problem = _run_key_command(provider.key_command)
    key = next(filter(None, map(clean_value, output.decode("utf-8", "replace").splitlines())), "")
    if problem or not key:
        message = f"The key command of {provider.title} {problem or 'printed no key'}."
        raise Fault(FaultKind.AUTH, message, hint=provider.key_hint)
    return key


def _run_key_command(command: str) -> tuple[bytes, str]:
    """What a command prints, and what was wrong with it, if anything was."""
    import shlex
    import subprocess

    timed_out = threading.Event()

    def end_process() -> None:
        timed_out.set()
        _kill_group(process)

    try:
        with subprocess.Popen(  # noqa: S603 (the user's own settings name it)
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            timer = threading.Timer(KEY_COMMAND_TIMEOUT_S, end_process)
            timer.start()
            try:
                assert process.stdout is not None
                output = process.stdout.read(_MAX_KEY_OUTPUT)
                if len(output) == _MAX_KEY_OUTPUT:
                    _kill_group(process)
                    return b"", "printed more than a key"
                code = process.wait()
            finally:
                timer.cancel()
    except FileNotFoundError:
        return b"", "was not found"
    except (OSError, ValueError, IndexError):
        return b"", "cannot be run"
    if timed_out.is_set():
        return b"", f"did not end within {KEY_COMMAND_TIMEOUT_S:.0f} s"
    return output, f"ended with exit code {code}" if code else ""


def _kill_group(process: Popen[bytes]) -> None:
    """End a command together with what it has started, which could hold its output open."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def find_key(provider: Provider, environ: Mapping[str, str] = os.environ) -> str:
    """The provider's key; empty if it has none and needs none. Blocks if the keyring has to be asked.

    Raises an `auth` fault if it needs one and there is none, or if what is there cannot be a key.
    """
    key = key_in_environment(provider, environ)
    if not key and provider.key_command:
        key = key_from_command(provider)
    if not key and provider.needs_key:
        key = key_in_keyring(provider)
    hint = provider.key_hint
    if not key and provider.needs_key:
        raise Fault(FaultKind.AUTH, f"No key for {provider.title} was found.", hint=hint)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Fault(FaultKind.AUTH, f"The key for {provider.title} has characters no key has.", hint=hint)
    return key


def has_key(provider: Provider, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the provider can be asked as far as keys go; loads no SDK, but may ask the keyring."""
    return (
        not provider.needs_key
        or bool(provider.key_command)
        or bool(key_in_environment(provider, environ))
        or bool(key_in_keyring(provider))
    )


def redact_keys(text: str, *keys: str) -> str:
    """`text` without these keys, and without anything that looks like one."""
    for key in keys:
        if len(key) >= 4:
            text = text.replace(key, KEY_MASK)
    return _TOKEN_PATTERN.sub(KEY_MASK, API_KEY_PATTERN.sub(KEY_MASK, text))


# Addresses of endpoints: whether they can be read, what they are called, and how they may be shown.


CREDENTIAL_MASK = "…"
"""What stands for a secret that was in an address."""

_CREDENTIAL_PARAMETER = re.compile(
    r"((?:^|&)[^=&]*(?:key|token|secret|sig|pass|auth)[^=&]*=)[^&]*", re.IGNORECASE
)


def check_url(url: str, schemes: tuple[str, ...]) -> None:
    """Raise `UsageError` for an address that is none; it may hold a secret, so that it is not quoted."""
    if problem := find_url_problem(url, schemes):
        raise UsageError(
            f"An endpoint's address cannot be read: {problem}.", f"It looks like {schemes[-1]}://host/path."
        )


def has_credentials(url: str) -> bool:
    """Whether credentials are in the address: a user, or a parameter that is called like one."""
    parts = urlsplit(url)
    return "@" in parts.netloc or _CREDENTIAL_PARAMETER.search(parts.query) is not None


def redact_url(url: str) -> str:
    """The address without its credentials; a mask alone if it cannot be read."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return CREDENTIAL_MASK
    user, at, host_and_port = parts.netloc.rpartition("@")
    query = _CREDENTIAL_PARAMETER.sub(rf"\1{CREDENTIAL_MASK}", parts.query)
    return urlunsplit(
        (
            parts.scheme,
            f"{CREDENTIAL_MASK}@{host_and_port}" if user else at + host_and_port,
            parts.path,
            query,
            "",
        )
    )
