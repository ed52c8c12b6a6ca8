"""Environments of the peers: made once, from hash-locked requirements, apart from ours."""

from __future__ import annotations

import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

from bench.paths import ROOT, WORK


def python_of(name: str) -> Path:
    """The interpreter of an environment with what ``requirements/<name>.txt`` locks; made when it is missing or the lock changed."""
    lock = ROOT / "requirements" / f"{name}.txt"
    digest = sha256(lock.read_bytes()).hexdigest()
    folder = WORK / "env" / name
    python = folder / "bin" / "python"
    mark = folder / "lock"
    if python.exists() and mark.is_file() and mark.read_text() == digest:
        return python
    print(f"making the environment {name} ...", file=sys.stderr, flush=True)
    venv.create(folder, clear=True, with_pip=True)
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "-qq",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        str(lock),
    ]
    subprocess.run(pip, check=True)
    mark.write_text(digest)
    return python
