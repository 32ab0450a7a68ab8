"""aiohttp's own TLS context trusts nobody, and the environment is as it was; seen in a process of its own."""

import os
import subprocess
import sys

import pytest

LOOK = """
import os, ssl
import torhaus.daemon.app
from aiohttp import connector
print(len(connector._SSL_CONTEXT_VERIFIED.get_ca_certs()), connector._SSL_CONTEXT_VERIFIED.verify_mode.name)
print(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
"""


@pytest.mark.parametrize("file", [None, "/nowhere/ca.pem"])
def test_the_default_context_has_no_authorities_and_the_environment_is_as_it_was(file: str | None) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("SSL_CERT_")}
    if file is not None:
        env["SSL_CERT_FILE"] = file
    done = subprocess.run([sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["0 CERT_REQUIRED", f"{file} None"]
