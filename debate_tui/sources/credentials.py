"""API keys: where they are found (environment, command, system keyring), and checks of addresses.

In the keyring, a provider's key is the password of user PROVIDER in the service ``debate-tui``; store one
with ``keyring set debate-tui openai``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from debate_tui.domain.errors import UsageError
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.urls import clean_value, find_url_problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import Popen

    from debate_tui.sources.providers import Provider


KEYRING_SERVICE = "debate-tui"


def find_key_variable(provider: Provider, environ: Mapping[str, str] = os.environ) -> str:
    """Return the name of the environment variable that holds the provider's key, or an empty string."""
    return next((name for name in provider.key_env if clean_value(environ.get(name, ""))), "")


def key_in_environment(provider: Provider, environ: Mapping[str, str] = os.environ) -> str:
    """Return the provider's key from the environment, or an empty string."""
    return clean_value(environ.get(find_key_variable(provider, environ), ""))


def key_in_keyring(provider: Provider) -> str:
    """Return the provider's key from the system keyring; empty if there is no key or no keyring.

    Block while the keyring asks the user to unlock it.
    """
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return ""
    # Backends raise the errors of the libraries they use; all of them mean "no key" here.
    try:
        return clean_value(keyring.get_password(KEYRING_SERVICE, provider.name) or "")
    except (keyring.errors.KeyringError, ImportError, OSError, RuntimeError, ValueError):
        return ""


KEY_COMMAND_TIMEOUT_S = 10.0
_MAX_KEY_OUTPUT = 1 << 16


def key_from_command(provider: Provider) -> str:
    """Return the first line printed by the provider's `key_command`; block up to `KEY_COMMAND_TIMEOUT_S`.

    The command runs without a shell and detached from the terminal. Raise an `auth` fault if it fails. Its
    output is never shown, as it may contain a key.
    """
    output, problem = _run_key_command(provider.key_command)
    key = next(filter(None, map(clean_value, output.decode("utf-8", "replace").splitlines())), "")
    if problem or not key:
        message = f"The key command of {provider.title} {problem or 'printed no key'}."
        raise Fault(FaultKind.AUTH, message, hint=provider.key_hint)
    return key


def _run_key_command(command: str) -> tuple[bytes, str]:
    """Run a command; return its output and what went wrong (empty if nothing did)."""
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
    """Kill a command and its child processes, which could keep its output open."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def find_key(provider: Provider, environ: Mapping[str, str] = os.environ) -> str:
    """Return the provider's key; empty if it has none and needs none. May block on the keyring.

    Raise an `auth` fault if a required key is missing or the value found cannot be a key.
    """
    key = key_in_environment(provider, environ)
    if not key and provider.key_command:
        key = key_from_command(provider)
    if not key and provider.needs_key:
        key = key_in_keyring(provider)
    hint = provider.key_hint
    if not key and provider.needs_key:
        raise Fault(FaultKind.AUTH, f"No API key found for {provider.title}.", hint=hint)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Fault(FaultKind.AUTH, f"The key for {provider.title} contains invalid characters.", hint=hint)
    return key


def has_key(provider: Provider, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the provider has the key it needs; loads no SDK, but may query the keyring."""
    return (
        not provider.needs_key
        or bool(provider.key_command)
        or bool(key_in_environment(provider, environ))
        or bool(key_in_keyring(provider))
    )


# Endpoint URLs.


def check_url(url: str, schemes: tuple[str, ...]) -> None:
    """Raise `UsageError` if `url` is not valid; it is not quoted, as it may contain a secret."""
    if problem := find_url_problem(url, schemes):
        raise UsageError(
            f"The address of an endpoint is not valid: {problem}.", f"Write {schemes[-1]}://host/path."
        )
