"""Fixtures for tests with other software. Which to pick:

- `place`: a folder for the nodes of one test module.
- `direct`: other people's clients trust no proxy and no bundle of the machine; every test here has it.
- `exchange`: the folder of real indicators of March 2021 that ships with the project; `hafnium`: ATT&CK around HAFNIUM.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interop")


@pytest.fixture(autouse=True, scope="module")
def direct() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


@pytest.fixture(scope="session")
def exchange() -> Iterator[Path]:
    with as_file(files("comity") / "data" / "exchange-2021") as folder:
        yield folder


@pytest.fixture(scope="session")
def hafnium() -> Iterator[Path]:
    with as_file(files("comity") / "data" / "attack" / "attack-enterprise-hafnium-stix21.json.gz") as path:
        yield path
