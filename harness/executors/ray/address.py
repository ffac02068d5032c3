"""Addresses of Ray clusters, as ``--address`` takes them."""

from __future__ import annotations

import re

from harness.errors import BadOptionError

AUTO = "auto"
"""The cluster that this machine is a node of."""

_FORM = re.compile(r"(ray://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(\d{1,5})")


def checked(address: str | None) -> str:
    """Return *address* as Ray takes it, ``auto`` where none is given.

    :raises BadOptionError: it is of another form
    """
    if address is None or address == AUTO:
        return AUTO
    form = _FORM.fullmatch(address)
    if form is None or not 0 < int(form[3]) < 65536:
        raise BadOptionError(
            "--address: expected auto, HOST:PORT or ray://HOST:PORT (Ray's client, port 10001), "
            f"found '{address}'"
        )
    return address
