"""Uploads a file with tuspy: python tuspy_upload.py ENDPOINT TOKEN FILE SHA256 CHUNK. Tries as often as it takes.

Runs with the packages of build/tuspy, not with those of the tests.
"""

import sys
import time
from typing import Any


def main(arguments: list[str]) -> int:
    from requests.exceptions import RequestException
    from tusclient.client import TusClient  # type: ignore[import-not-found]
    from tusclient.exceptions import TusCommunicationError  # type: ignore[import-not-found]

    endpoint, token, path, sha256, chunk = arguments
    client = TusClient(endpoint, headers={"Authorization": f"Bearer {token}"})
    url: str | None = None
    for _ in range(1000):
        try:
            more: dict[str, Any] = {"url": url} if url else {"metadata": {"filename": "scan.pdf", "sha256": sha256}}
            uploader = client.uploader(path, chunk_size=int(chunk), upload_checksum=True, **more)
            if url is None:
                uploader.set_url(uploader.create_url())
                url = uploader.url
            uploader.upload()
        except (TusCommunicationError, RequestException, OSError):
            time.sleep(0.005)
        else:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
