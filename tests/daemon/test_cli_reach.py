from pathlib import Path

import pytest

from tests.daemon.home import Home
from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.reach import configured


def test_all_faults_at_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert Path(configured(home.config).store.path) == home.store
    home.write("[nonsense]\n[rubbish]\n")
    with pytest.raises(Unreadable) as e:
        configured(home.config)
    assert (e.value.code, len(str(e.value).splitlines())) == (78, 2)
