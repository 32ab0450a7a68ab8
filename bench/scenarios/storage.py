"""Two durable stores at the same tests: the outbox, and the SQLite storage of thingsboard-gateway by its own classes.

Throughput of storing and of draining; what is lost when the process is killed, and when the far side takes a connection
and never acknowledges. "Accepted" is what the store has told its caller to be safe.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.frames import Traffic
from bench.processes import ROOT, Worker, end, folder, wait_until
from bench.scenario import BenchError, Figures, Plan
from bench.scenarios.uplinks import window
from bench.site import Daemon
from bench.venv import installed

Command = list[str]
ACCEPT_PER_S = 1000
KILL_AFTER_S = 3.0
PATIENCE = 'timeout_s = 1.0\nstatus_topic = ""\n'
UNPROVED = 1000
"""Records sent to a broker that never acknowledges."""


def thingsboard(plan: Plan) -> Figures:
    """Its storage."""
    python = str(installed("peers") / "bin" / "python")
    command = [python, "-P", str(ROOT / "bench" / "peers" / "thingsboard_store.py")]
    figures = _both(command, plan)
    broker = Worker("peers.silent_broker")
    try:
        with folder() as place:
            answer = _run([*command, "timeout", str(place), broker.read(), str(UNPROVED)])
    finally:
        broker.close()
    return figures | {"lost_on_time_out": float(UNPROVED - answer["remaining"])}


def torhaus(plan: Plan) -> Figures:
    """The outbox; for the time-out the whole daemon with its forwarder, told to wait one second."""
    figures = _both([sys.executable, "-m", "bench.peers.torhaus_store"], plan)
    return figures | {"lost_on_time_out": _time_out()}


def _both(command: Command, plan: Plan) -> Figures:
    count = min(plan.records, 100_000) // 500 * 500
    with folder() as place:
        answer = _run([*command, "throughput", str(place), str(count)])
    if answer.pop("taken") != count:
        raise BenchError("not everything could be drained")
    figures: Figures = answer
    with folder() as place:
        return figures | _killed(command, place)


def _killed(command: Command, place: Path) -> Figures:
    """Killed in the middle of its work."""
    process = subprocess.Popen(
        [*command, "accept", str(place), str(ACCEPT_PER_S)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            raise BenchError(f"{command} accepted nothing")
        time.sleep(KILL_AFTER_S)
        os.kill(process.pid, signal.SIGKILL)
        accepted = int((first + process.stdout.read()).rsplit("\n", 2)[-2])
    finally:
        end(process)
    kept = _run([*command, "count", str(place)])["rows"]
    return {"accepted": float(accepted), "lost_on_kill": float(max(0, accepted - kept))}


def _run(command: Command) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=900)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise BenchError(f"{command[-3:]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def _time_out() -> float:
    """Records that are neither proved nor kept after several time-outs."""
    traffic = Traffic(UNPROVED)
    broker = Worker("peers.silent_broker")
    try:
        with folder() as place, Daemon(place, traffic.devices, int(broker.read()), forwarder=PATIENCE) as daemon:
            daemon.start()
            generator = Worker("load", daemon.udp, traffic.file(), 0, window(traffic))
            try:
                generator.say("go")
                acked = json.loads(generator.read())["acked"]
            finally:
                generator.close()
            wait_until(lambda: daemon.metric("torhaus_forwarder_connects_total") >= 3, "three time-outs")
            kept = daemon.metric("torhaus_forwarder_backlog_records")
            return float(acked - kept)
    finally:
        broker.close()
