import io

from torhaus.daemon.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Watch:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_what_is_quick_says_nothing() -> None:
    out, now = Terminal(), Watch()
    with Progress("copying", out=out, now=now) as progress:
        progress.told(1)
        now.at = 0.9
        progress.told(2)
    assert out.getvalue() == ""


def test_on_a_terminal_it_is_written_over_and_wiped() -> None:
    out, now = Terminal(), Watch()
    with Progress("copying", lambda n: f"{n} B", out, now) as progress:
        for now.at in (1.0, 1.1, 1.5):
            progress.told(int(now.at * 10), 20)
    assert out.getvalue() == "\rcopying: 10 B of 20 B (50 %)\x1b[K\rcopying: 15 B of 20 B (75 %)\x1b[K\r\x1b[K"


def test_in_a_file_there_is_a_line_now_and_then() -> None:
    out, now = io.StringIO(), Watch()
    with Progress("reading", out=out, now=now) as progress:
        for second in range(25):
            now.at = float(second)
            progress.told(second)
    assert out.getvalue() == "reading: 1\nreading: 11\nreading: 21\n"
