"""A site to be measured: configuration, a real mosquitto, the real daemon, and what they use up."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from torhaus.daemon.demo.sensors import Sensor

TICKS = os.sysconf("SC_CLK_TCK")


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


class Mosquitto:
    """A broker of its own on loopback, with as much in flight as the protocol has."""

    def __init__(self, folder: Path, receive_maximum: int = 0) -> None:
        binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if binary is None:
            sys.exit("bench: mosquitto is not installed (apt install mosquitto)")
        self.port = free_port(socket.SOCK_STREAM)
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
            f"max_inflight_messages {receive_maximum}\nlog_type error\n"
        )
        self.process = subprocess.Popen([binary, "-c", str(config)], stderr=subprocess.DEVNULL)
        self.version = subprocess.run([binary, "-h"], capture_output=True, text=True, check=False).stdout.split("\n")[0]

        time.sleep(0.2)
        command = ["mosquitto_sub", "-p", str(self.port), "-t", "#", "-F", ""]  # else nothing is received
        self.subscriber = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def close(self) -> None:
        for process in (self.subscriber, self.process):
            process.terminate()
            process.wait()


class Daemon:
    """`torhaus run` with `devices` simulated devices."""

    def __init__(self, folder: Path, devices: int, broker: int, codec: str | None = "elsys") -> None:
        self.folder = folder
        self.udp = free_port(socket.SOCK_DGRAM)
        self.http = free_port(socket.SOCK_STREAM)
        sensors = [Sensor(i) for i in range(devices)]
        text = "".join(s.config() for s in sensors)
        (folder / "devices.toml").write_text(text.replace('codec = "elsys"\n', f'codec = "{codec}"\n' if codec else ""))
        keys = folder / "devices.keys.toml"
        keys.touch(mode=0o600)
        keys.write_text("".join(s.keys() for s in sensors))
        (folder / "torhaus.toml").write_text(
            f'[site]\nid = "bench"\n[store]\npath = "state"\n[control]\nsocket = "t.sock"\n'
            f'[http]\nlisten = "127.0.0.1:{self.http}"\n[log]\nlevel = "warning"\nformat = "text"\n'
            f'[[driver]]\nname = "radio"\ntype = "semtech_udp"\nlisten = "127.0.0.1:{self.udp}"\n'
            f'[[forwarder]]\nname = "broker"\ntype = "mqtt"\nurl = "mqtt://127.0.0.1:{broker}"\n'
            'kinds = ["reading", "frame"]\nbackfill_per_s = 100000\n'
        )
        self.process: subprocess.Popen[bytes]

    def start(self) -> float:
        """Start; returns the seconds until it was ready."""
        began = time.perf_counter()
        command = [sys.executable, "-m", "torhaus", "run", "--config", str(self.folder / "torhaus.toml")]
        self.process = subprocess.Popen(command)
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=1).close()
                return time.perf_counter() - began
            except OSError:
                if self.process.poll() is not None:
                    sys.exit("bench: the daemon ended")
                time.sleep(0.01)

    def metric(self, name: str) -> float:
        """The sum over all rows of a metric."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=5) as r:
            lines = r.read().decode().splitlines()
        rows = [line for line in lines if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in rows)

    def cpu_s(self) -> float:
        """User and system time so far."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / TICKS

    def rss_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024

    def written_bytes(self) -> int:
        io = Path(f"/proc/{self.process.pid}/io").read_text()
        return int(next(line for line in io.splitlines() if line.startswith("write_bytes")).split()[1])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def folder() -> Path:
    """A place on the disk, not in memory: commits have to be real."""
    base = Path(__file__).parent.parent / "build"
    base.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="bench-", dir=base))
