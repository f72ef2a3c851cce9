"""A self-signed certificate for loopback, which only the tests trust."""

from __future__ import annotations

import ssl
from pathlib import Path

PEM = Path(__file__).with_name("loopback.pem")


def server(*protocols: str) -> ssl.SSLContext:
    """A server's context that offers these protocols."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    context.set_alpn_protocols(protocols or ["http/1.1"])
    return context


def client() -> ssl.SSLContext:
    """A client's context that trusts the certificate, and no other."""
    return ssl.create_default_context(cafile=PEM)
