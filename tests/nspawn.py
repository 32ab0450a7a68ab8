"""A real systemd to test on: systemd-nspawn boots an overlay of the running root, and leaves nothing behind."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ("daemon", "drivers", "codecs", "systemd", "config", "pyproject.toml", "README.md", "LICENSE")
PASSED_ON: Final = ("PIP_", "SSL_", "REQUESTS_", "CURL_", "http_", "https_", "no_", "HTTP_", "HTTPS_", "NO_")
"""Beginnings of the environment variables by which a machine tells pip how to reach its package index."""
NAME: Final = f"torhaus-boot-{os.getpid()}"


def missing() -> str | None:
    """Why this cannot run here; None when it can."""
    if os.geteuid() != 0:
        return "booting a systemd needs root"
    for program in ("systemd-nspawn", "unshare", "nsenter", "setpriv", "ip"):
        if shutil.which(program) is None:
            return f"{program} is not installed (apt install systemd-container util-linux iproute2)"
    version = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
    if subprocess.run(["/usr/bin/python3", "-c", version], check=False, capture_output=True).returncode != 0:
        return "/usr/bin/python3 is older than 3.11 or has no venv module (apt install python3-venv)"
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode != 0:
        return "mount namespaces are not allowed here"
    return None


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """Poll until the condition holds; fails after so many seconds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.05)


def cgroup_bases() -> list[Path]:
    """The folders of this process in the hierarchies that systemd uses."""
    bases = []
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "name=systemd":
            bases.append(Path(f"/sys/fs/cgroup/systemd{path}"))
        elif not controllers:
            unified = "/sys/fs/cgroup/unified"
            bases.append(Path(f"{unified if Path(unified).is_dir() else '/sys/fs/cgroup'}{path}"))
    return bases


class Box:
    """A bootable copy of this machine. `root` is its file system, for reading and writing from outside."""

    def __init__(self, where: Path, log: Path) -> None:
        self._log = log
        self._tree = where / "root"
        self._cgroups = [base / NAME for base in cgroup_bases()]
        self._container: subprocess.Popen[bytes] | None = None
        self._leader = ""
        script = (
            f"cd {where}; mount -t tmpfs -o size=2G tmpfs .; cd {where}; mkdir upper work root\n"
            f"mount -t overlay overlay -o lowerdir=/,upperdir={where}/upper,workdir={where}/work root\n"
            "echo mounted; exec sleep 3600"
        )
        self._holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "bash", "-ec", script], stdout=subprocess.PIPE
        )
        assert self._holder.stdout is not None
        with self._holder.stdout as said:
            assert said.readline() == b"mounted\n"
        self.root = Path(f"/proc/{self._holder.pid}/root{self._tree}")

    def _nspawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start systemd-nspawn in the overlay's namespace and in cgroups of its own; it dies with this process."""

        def enter_cgroups() -> None:
            for group in self._cgroups:
                group.mkdir(exist_ok=True)
                (group / "cgroup.procs").write_text("0", encoding="ascii")

        command = [
            *("setpriv", "--pdeathsig", "KILL", "nsenter", "-t", str(self._holder.pid), "-m"),
            *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--link-journal=no"),
            *(f"--machine={NAME}", f"--directory={self._tree}", *arguments),
        ]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                preexec_fn=enter_cgroups,  # noqa: PLW1509 - no other threads here
            )

    def install(self) -> None:
        """Run the project's installer inside, with this machine's network and pip settings."""
        for wants in (self.root / "etc/systemd/system").glob("*.wants"):
            shutil.rmtree(wants)  # what this machine has enabled is not part of the test
        source = self.root / "opt/torhaus-source"
        source.mkdir()
        for name in (*SOURCE, *(path.name for path in ROOT.glob("requirements*.lock"))):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, source / name)
        passed_on = [f"--setenv={key}={value}" for key, value in os.environ.items() if key.startswith(PASSED_ON)]
        flags = ("--pipe", "--resolv-conf=copy-host", "--setenv=HOME=/root", *passed_on)
        assert self._nspawn(*flags, "/opt/torhaus-source/systemd/install.sh").wait(200) == 0, self._log.read_text()

    def boot(self) -> None:
        """Boot and wait until systemd says that it runs.

        The calls and capabilities beyond nspawn's own are what IPAddressDeny= and a look at the clock need.
        """
        capabilities = "CAP_BPF,CAP_NET_ADMIN,CAP_PERFMON,CAP_SYS_TIME"
        flags = ("--private-network", "--console=pipe", f"--capability={capabilities}")
        container = self._nspawn(*flags, "--system-call-filter=bpf adjtimex clock_adjtime", "--boot")
        self._container = container
        children = Path(f"/proc/{container.pid}/task/{container.pid}/children")

        def running() -> bool:
            assert container.poll() is None, self._log.read_text()
            self._leader = children.read_text(encoding="ascii").split(" ")[0]
            return bool(self._leader) and self.run("systemctl", "is-system-running").strip() in {"running", "degraded"}

        wait_for(running, 60)

    def run(self, *command: str) -> str:
        """Run a command inside the booted box; returns what it printed."""
        enter = ["nsenter", "-t", self._leader, *("-m", "-u", "-i", "-n", "-p", "-C"), "--", *command]
        return subprocess.run(
            enter, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=90
        ).stdout

    def show(self, unit: str) -> dict[str, str]:
        """The unit's properties."""
        return dict(line.split("=", 1) for line in self.run("systemctl", "show", unit).splitlines() if "=" in line)

    def journal(self, unit: str) -> str:
        """All that was logged by and about a unit."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)

    def close(self) -> None:
        """Power off, and remove every trace."""
        if self._container is not None:
            if self._container.poll() is None and self._leader:
                self.run("systemctl", "poweroff")
            try:
                self._container.wait(30)
            except subprocess.TimeoutExpired:
                self._container.kill()
                self._container.wait()
        self._holder.kill()
        self._holder.wait()
        for group in self._cgroups:
            for folder, _, _ in os.walk(group, topdown=False):
                Path(folder).rmdir()
