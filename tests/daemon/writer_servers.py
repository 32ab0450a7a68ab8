"""What scanners write to: the file servers of Debian, each on loopback with its own configuration in one folder."""

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.peers import free_port, program

PATIENCE_S: Final = 20.0


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[int]:
    """The server, until this ends. It answers at its port when this is entered."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    try:
        for _ in range(int(PATIENCE_S / 0.05)):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None, log.read_text(errors="replace")
                time.sleep(0.05)
        else:
            raise AssertionError(log.read_text(errors="replace"))
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def ftp_server(place: Path, hot: Path) -> Iterator[int]:
    """vsftpd: anybody may upload into the folder `hot`, which lies beside `place`."""
    port = free_port()
    conf = place / "vsftpd.conf"
    conf.write_text(
        f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nanonymous_enable=YES\n"
        "local_enable=NO\nno_anon_password=YES\nwrite_enable=YES\nanon_upload_enable=YES\n"
        f"anon_other_write_enable=YES\nanon_umask=022\nanon_root={hot.parent}\nftp_username={getpass.getuser()}\n"
        "run_as_launching_user=YES\nallow_writeable_chroot=YES\nseccomp_sandbox=NO\nxferlog_enable=NO\n"
    )
    with running([program("vsftpd"), str(conf)], port, place / "vsftpd.log"):
        yield port


@contextmanager
def smb_server(place: Path, hot: Path) -> Iterator[int]:
    """smbd: the share `hot`, for guests."""
    port = free_port()
    conf = place / "smb.conf"
    folders = (
        "".join(
            f"{key} directory = {place}\n" for key in ("lock", "state", "cache", "private", "pid", "ncalrpc", "binddns")
        )
        .replace("ncalrpc directory", "ncalrpc dir")
        .replace("binddns directory", "binddns dir")
    )
    conf.write_text(
        f"[global]\nserver role = standalone server\nbind interfaces only = yes\ninterfaces = 127.0.0.1\n"
        f"smb ports = {port}\nmap to guest = bad user\nguest account = {getpass.getuser()}\ndisable spoolss = yes\n"
        f"disable netbios = yes\nload printers = no\nlog file = {place}/smb.log\n{folders}"
        f"[hot]\npath = {hot}\nguest ok = yes\nread only = no\nforce user = {getpass.getuser()}\n"
    )
    command = [program("smbd"), "--foreground", "--no-process-group", f"--configfile={conf}"]
    with running(command, port, place / "smbd.log"):
        yield port


@contextmanager
def ssh_server(place: Path) -> Iterator[tuple[int, list[str]]]:
    """sshd with sftp alone: its port, and the options with which a client gets in."""
    port = free_port()
    host, user = place / "host_key", place / "user_key"
    for key in (host, user):
        subprocess.run([program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    conf = place / "sshd_config"
    conf.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nPidFile {place}/sshd.pid\nUsePAM no\n"
        f"AuthorizedKeysFile {user}.pub\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\nForceCommand internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    options = [
        "-P", str(port), "-i", str(user), "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
        "-o", f"UserKnownHostsFile={place}/known_hosts", "-q",
    ]  # fmt: skip
    with running([program("sshd"), "-D", "-e", "-f", str(conf)], port, place / "sshd.log"):
        yield port, options


@contextmanager
def dav_server(place: Path, hot: Path) -> Iterator[int]:
    """Apache with mod_dav_fs: the folder `hot` is /hot. It does not run as root, so all must be able to get there."""
    port = free_port()
    modules = "".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
        for name in ("mpm_event", "authz_core", "dav", "dav_fs")
    )
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    if user:
        hot.chmod(0o777)
        place.chmod(0o777)
    conf = place / "apache.conf"
    conf.write_text(
        f"{modules}ServerRoot {place}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {place}/apache.pid\n"
        f"DefaultRuntimeDir {place}\nErrorLog {place}/error.log\n{user}DavLockDB {place}/locks\n"
        f"DocumentRoot {hot.parent}\n<Directory {hot}>\nDav On\nRequire all granted\n</Directory>\n"
    )
    with running([program("apache2"), "-X", "-f", str(conf)], port, place / "apache.log"):
        yield port
