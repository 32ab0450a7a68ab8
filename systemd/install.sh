#!/usr/bin/env bash
# Installs torhaus system-wide: /usr/lib/torhaus (a virtual environment), the unit, its user, folders and udev rules.
# Running it again upgrades. Configuration and data are never touched.
#
#   systemd/install.sh [--serial] [--python PATH] [--from DIR]
#       --serial   also give the service the serial ports (serial.conf as a drop-in)
#       --python   the interpreter, default /usr/bin/python3; must be one that a service user can execute
#       --from     install from a folder made by `--wheels`, without internet
#   systemd/install.sh --wheels DIR [--python PATH]
#       collect torhaus and all it needs as wheels in DIR; install nothing
set -euo pipefail
umask 022

readonly home=/usr/lib/torhaus
source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=/usr/bin/python3 serial="" from="" wheels=""
while [ $# -gt 0 ]; do
  case $1 in
    --serial) serial=1 ;;
    --python) python=${2:?--python needs a path}; shift ;;
    --from) from=$(realpath -e -- "${2:?--from needs a folder}"); shift ;;
    --wheels) wheels=${2:?--wheels needs a folder}; shift ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
  shift
done

fail() { echo "install: $1" >&2; exit "${2:-69}"; }

python=$(command -v -- "$python") || fail "there is no $python"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is older than 3.11"
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python cannot make virtual environments: apt install python3-venv"

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Everything that needs the network or a compiler happens here, before anything installed is touched.
collect() {
  "$python" -m venv "$work/build"
  local pip=("$work/build/bin/python" -m pip --quiet --disable-pip-version-check --no-input)
  "${pip[@]}" install --no-deps --require-hashes -r "$source_dir/requirements-build.lock"
  "${pip[@]}" wheel --no-deps --require-hashes -r "$source_dir/requirements.lock" --wheel-dir "$1"
  "${pip[@]}" wheel --no-deps --no-build-isolation "$source_dir" --wheel-dir "$1"
}

if [ -n "$wheels" ]; then
  echo "collecting wheels in $wheels ..."
  collect "$work/wheels"
  mkdir -p -- "$wheels"
  rm -f -- "$wheels"/*.whl
  cp -- "$work"/wheels/*.whl "$wheels"/
  exit 0
fi

[ "$(id -u)" = 0 ] || fail "must be run as root" 77
# A Python under somebody's home cannot be run by a service: closed to other users, and hidden by ProtectHome=.
case $("$python" -c 'import os, sys; print(os.path.realpath(sys.executable))') in
  /home/* | /run/user/*) fail "$python lies in a home; give --python /usr/bin/python3" ;;
esac
setpriv --reuid=65534 --regid=65534 --clear-groups "$python" -c pass 2>/dev/null ||
  fail "$python cannot be run by other users; give --python /usr/bin/python3"

if [ -z "$from" ]; then
  echo "collecting what requirements.lock pins ..."
  from=$work/wheels
  collect "$from"
fi
ls -- "$from"/torhaus-*.whl >/dev/null 2>&1 || fail "$from holds no torhaus wheel"

echo "installing to $home ..."
"$python" -m venv --clear "$home"
"$home/bin/python" -m pip --quiet --disable-pip-version-check --no-input install --no-index --no-deps -- "$from"/*.whl
ln -sfn -- "$home/bin/torhaus" /usr/bin/torhaus

put() { install -D -m 0644 -- "$source_dir/$1" "$2"; }
put systemd/torhaus.service /usr/lib/systemd/system/torhaus.service
put systemd/torhaus.sysusers /usr/lib/sysusers.d/torhaus.conf
put systemd/torhaus.tmpfiles /usr/lib/tmpfiles.d/torhaus.conf
put systemd/99-torhaus.rules /usr/lib/udev/rules.d/99-torhaus.rules
put README.md /usr/share/doc/torhaus/README.md
put LICENSE /usr/share/doc/torhaus/LICENSE
if [ -n "$serial" ]; then
  put systemd/serial.conf /etc/systemd/system/torhaus.service.d/serial.conf
  # The unit's device list is resolved when it starts: the drivers must be there before the first adapter is plugged in.
  printf '%s\n' usbserial cdc_acm >/etc/modules-load.d/torhaus.conf
  modprobe -a usbserial cdc_acm 2>/dev/null || echo "install: no USB serial drivers in this kernel" >&2
fi

systemd-sysusers torhaus.conf
[ -e /etc/torhaus/torhaus.toml ] || put config/torhaus.toml /etc/torhaus/torhaus.toml
systemd-tmpfiles --create torhaus.conf

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  udevadm control --reload || true
  udevadm trigger --subsystem-match=tty --action=change || true
  systemctl try-restart torhaus.service
fi
cat <<'END'
torhaus is installed. Next:
  edit /etc/torhaus/torhaus.toml
  torhaus check --config /etc/torhaus/torhaus.toml
  systemctl enable --now torhaus
END
