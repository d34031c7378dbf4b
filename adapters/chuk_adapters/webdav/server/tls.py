"""TLS as it should be today."""

from __future__ import annotations

import os
import ssl


def server_context(certificate: str | os.PathLike[str], key: str | os.PathLike[str] | None = None) -> ssl.SSLContext:
    """A context for a server: TLS 1.2 and later, with Python's choice of ciphers.

    Args:
        certificate: a PEM file of this machine, with the chain.
        key: a PEM file of its private key; None if that is in the same file.

    Raises:
        OSError: a file cannot be read, or is not what it should be (``ssl.SSLError`` is one).
    """
    for file in (certificate, key or certificate):
        os.stat(file)  # whose error names it, as that of OpenSSL does not
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | getattr(ssl, "OP_NO_RENEGOTIATION", 0)
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key)
    return context
