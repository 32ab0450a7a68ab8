"""A site to be measured: configuration, a real mosquitto, the real daemon, and what they use up."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Final, Self

from bench.processes import ROOT, end, free_port, listens, program, wait_until
from bench.profile import Profiler
from bench.scenario import BenchError, Figures, Plan
from bench.usage import Usage, children, memory_bytes, usage
from torhaus.daemon.demo.sensors import Sensor

SCRIPT: Final = ROOT / "bench" / "room.js"
MIB: Final = 1 << 20


class Mosquitto:
    """A broker of its own on loopback. `receive_maximum` 0: as much in flight as the protocol has."""

    def __init__(self, folder: Path, receive_maximum: int = 0, more: str = "") -> None:
        self.port = free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
            f"max_inflight_messages {receive_maximum}\nlog_type error\nuser root\n{more}"
        )
        self.start()

    def start(self) -> None:
        """Start, or start again after `stop`."""
        binary = program("mosquitto", "mosquitto")
        self.process = subprocess.Popen([binary, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self.port), "mosquitto listens")

    def stop(self) -> None:
        """End it."""
        end(self.process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Daemon:
    """`torhaus run` with `devices` simulated devices and one forwarder to `broker`, if any.

    `codec` is a native codec's name, `script` for the JavaScript decoder, None for none: frames only. `more`, `store`,
    `forwarder` and `lorawan` are further lines of the file, of `[store]`, of the forwarder and of `[lorawan]`.
    """

    def __init__(
        self,
        folder: Path,
        devices: int,
        broker: int | None,
        codec: str | None = "elsys",
        more: str = "",
        store: str = "",
        forwarder: str = "",
        lorawan: str = "",
    ) -> None:
        self.folder = folder
        self.udp = free_port(socket.SOCK_DGRAM)
        self.http = free_port()
        self._profiler: Profiler | None = None
        if codec == "script":
            codec = SCRIPT.name
            (folder / "decoders").mkdir(exist_ok=True)
            shutil.copy(SCRIPT, folder / "decoders")
        sensors = [Sensor(i) for i in range(devices)]
        text = "".join(s.config() for s in sensors)
        (folder / "devices.toml").write_text(text.replace('codec = "elsys"\n', f'codec = "{codec}"\n' if codec else ""))
        keys = folder / "devices.keys.toml"
        keys.touch(mode=0o600)
        keys.write_text("".join(s.keys() for s in sensors))
        sending = (
            f'[[forwarder]]\nname = "broker"\ntype = "mqtt"\nurl = "mqtt://127.0.0.1:{broker}"\n'
            'kinds = ["reading", "frame"]\nbackfill_per_s = 1000000\n'
            f"{forwarder}"
        )
        (folder / "torhaus.toml").write_text(
            f'[site]\nid = "bench"\n[store]\npath = "state"\n{store}[control]\nsocket = "t.sock"\n'
            f"[lorawan]\n{lorawan}merge_window_s = 0\n"  # none comes twice here: a window would only add to latencies
            f'[http]\nlisten = "127.0.0.1:{self.http}"\n[log]\nlevel = "error"\nformat = "text"\n'
            f'[[driver]]\nname = "radio"\ntype = "semtech_udp"\nlisten = "127.0.0.1:{self.udp}"\n'
            f"{sending if broker is not None else ''}{more}"
        )
        self.process: subprocess.Popen[bytes]

    def start(self) -> float:
        """Start; returns the seconds until it was ready."""
        began = time.perf_counter()
        command = [sys.executable, "-m", "torhaus", "run", "--config", str(self.folder / "torhaus.toml")]
        # an installation has its bytecode: where it may not be written, every start compiles everything anew
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.process = subprocess.Popen(command, env=env)
        while not self._is_ready():
            if self.process.poll() is not None:
                raise BenchError("the daemon ended")
            time.sleep(0.005)
        return time.perf_counter() - began

    def _is_ready(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=10).close()
        except OSError:
            return False
        return True

    def profile(self, plan: Plan, name: str) -> None:
        """Watch it from now to its end, where a profile is asked for."""
        if plan.profile is not None:
            self._profiler = Profiler(self.process.pid, plan.profile / f"{name.replace('/', '-')}.txt")

    def scrape(self) -> str:
        """/metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=10) as r:
            text: str = r.read().decode()
        return text

    def metric(self, name: str) -> float:
        """The sum over all rows of a metric."""
        rows = [line for line in self.scrape().splitlines() if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in rows)

    def usage(self) -> Usage:
        """What it has used so far."""
        return usage(self.process.pid, self.folder)

    def rss_mib(self, field: str = "VmRSS") -> float:
        """Memory of the daemon itself, MiB."""
        return memory_bytes(self.process.pid, field) / MIB

    def costs(self, before: Usage, count: int) -> Figures:
        """What `count` records have cost since `before`, each and in all."""
        used = self.usage().since(before)
        script = [memory_bytes(pid) for pid in children(self.process.pid)]
        figures = {
            "cpu_us": used.cpu_s / count * 1e6,
            "cpu_loop_us": used.loop_s / count * 1e6,
            "cpu_threads_us": used.threads_s / count * 1e6,
            "rss_mib": self.rss_mib(),
            "peak_mib": self.rss_mib("VmHWM"),
            "written_bytes": used.written_bytes / count,
            "commits": self.metric("torhaus_outbox_commit_seconds_count"),
            "disk_flushes": float(used.flushes),
        }
        if script:
            figures |= {"cpu_script_us": used.children_s / count * 1e6, "script_mib": sum(script) / MIB}
        return figures

    def stop(self) -> None:
        """End it in order; the profile is written first."""
        if self._profiler is not None:
            self._profiler.stop()
            self._profiler = None
        end(self.process, 30)

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "process"):
            self.stop()
