"""For tests that check or draw pictures in this process, which the daemon does in one of its own with a limit."""

import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def pixel_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's limit of pixels is put back after each test, for those that come behind."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
