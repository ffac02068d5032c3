"""Where packages come from: whatever uv or pip is configured with on this machine, never a place of our own.

uv does not read pip's configuration. On a machine where only pip was told of a package index, its settings
are handed to uv in uv's own environment variables.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import platformdirs

# Setting of pip -> variable of uv (https://docs.astral.sh/uv/reference/environment/).
_OF_PIP = {
    "index-url": "UV_INDEX_URL",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
}
_OF_UV = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX", "UV_FIND_LINKS", "UV_NO_INDEX", "UV_CONFIG_FILE")
_LINE = re.compile(r"(?P<section>[^.\s]+)\.(?P<key>[a-z-]+)=(?P<value>.+)")
# Later ones win: the command's own section over the global one, the environment over both.
_SECTIONS = ("global", "install", ":env:")


def uv_variables() -> dict[str, str]:
    """Return variables that make uv ask where pip asks; empty where uv has a configuration of its own."""
    if any(name.startswith(_OF_UV) for name in os.environ) or _uv_file():
        return {}
    return translate(pip_settings())


def translate(settings: Mapping[str, str]) -> dict[str, str]:
    """Return pip's *settings* (key to value, lists separated by blanks) as variables of uv."""
    found = {_OF_PIP[key]: " ".join(value.split()) for key, value in settings.items() if key in _OF_PIP}
    if "UV_FIND_LINKS" in found:  # the one list that uv separates by commas
        found["UV_FIND_LINKS"] = found["UV_FIND_LINKS"].replace(" ", ",")
    if "SSL_CERT_FILE" in found and "SSL_CERT_FILE" in os.environ:
        del found["SSL_CERT_FILE"]
    if "UV_NO_INDEX" in found:
        found["UV_NO_INDEX"] = (
            "true" if found["UV_NO_INDEX"].lower() in ("1", "true", "yes", "on") else "false"
        )
    if "UV_EXTRA_INDEX_URL" in found or "UV_FIND_LINKS" in found:
        # pip takes the best version of all its places, uv that of the first place that has the name.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def pip_settings() -> dict[str, str]:
    """Return pip's effective settings, as ``pip config list`` prints them; empty where there is no pip."""
    for command in ([sys.executable, "-m", "pip"], [shutil.which("pip") or ""]):
        try:
            answer = subprocess.run([*command, "config", "list"], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0:
            return parse_pip(answer.stdout)
    return {}


def parse_pip(text: str) -> dict[str, str]:
    """Return key to value from the lines of ``pip config list`` (``global.index-url='...'``)."""
    by_section: dict[str, dict[str, str]] = {name: {} for name in _SECTIONS}
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None or match["section"] not in by_section:
            continue
        try:
            value = str(ast.literal_eval(match["value"]))  # pip prints the repr of the string
        except (ValueError, SyntaxError):
            continue
        by_section[match["section"]][match["key"]] = value
    return {key: value for section in _SECTIONS for key, value in by_section[section].items()}


def _uv_file() -> bool:
    folders = (platformdirs.user_config_path("uv"), platformdirs.site_config_path("uv"), Path("/etc/uv"))
    return any((folder / "uv.toml").is_file() for folder in folders)
