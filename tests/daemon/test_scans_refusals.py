import string

import pytest

from torhaus.daemon.scans.refusals import TEXTS, Refusal, Refused


@pytest.mark.parametrize("why", Refusal)
def test_each_says_why_in_words(why: Refusal) -> None:
    holes = {name for _, name, _, _ in string.Formatter().parse(TEXTS[why]) if name}
    refused = Refused(why, **{name: f"<{name}>" for name in holes})
    assert refused.why is why
    assert all(f"<{name}>" in str(refused) for name in holes)
    assert "{" not in str(refused)
    assert isinstance(refused, ValueError)
