"""pip's configuration in uv's words."""

from __future__ import annotations

import pytest

from harness.environments.indexes import parse_pip, pip_settings, translate, uv_variables

PRINTED = """\
:env:.no-index='0'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.index-url='https://global.example/simple'
install.index-url='https://mirror.example/simple'
global.timeout='180'
list.format='columns'
not a setting
"""


def test_the_environment_wins_over_the_command_over_the_rest() -> None:
    assert parse_pip(PRINTED) == {
        "no-index": "0",
        "extra-index-url": "https://one.example/simple\nhttps://two.example/simple",
        "index-url": "https://mirror.example/simple",
        "timeout": "180",
    }


def test_settings_become_variables_of_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    settings = {**parse_pip(PRINTED), "find-links": "wheels more", "cert": "ca.pem", "trusted-host": "h"}
    assert translate(settings) == {
        "UV_INDEX_URL": "https://mirror.example/simple",
        "UV_EXTRA_INDEX_URL": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "wheels,more",
        "UV_NO_INDEX": "false",
        "UV_INSECURE_HOST": "h",
        "SSL_CERT_FILE": "ca.pem",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    assert translate({}) == {}


def test_a_configured_uv_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    assert uv_variables() == {}


def test_pip_is_asked_for_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    if not pip_settings():
        pytest.skip("no pip on this machine, or one without any setting")
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    assert pip_settings()["index-url"] == "https://pip.example/simple"
