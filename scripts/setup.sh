# Sourced by scripts/quickstart and scripts/test: installs what is missing, asks for nothing that is there.
# Debian 12 or 13, as root or as a user with sudo. May be run again.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv

say() { if [ -t 2 ]; then printf '\033[1m%s\033[0m\n' "$*" >&2; else printf '%s\n' "$*" >&2; fi; }
die() { printf 'error: %s\n' "$*" >&2; exit 3; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Install Debian packages that lack. Arguments: command or file that shows a package is there, then its name.
need_package() {
  if command -v "$1" >/dev/null 2>&1 || [ -e "$1" ]; then return; fi
  command -v apt-get >/dev/null || die "$1 is missing and this is not Debian: install $2 and run this again"
  if [ -z "${apt_is_fresh:-}" ]; then
    as_root apt-get update -qq || die "apt-get update failed"
    apt_is_fresh=1
  fi
  say "installing $2"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# Nix from the distribution's packages; a user without root builds through its daemon.
need_nix() {
  if ! command -v nix-store >/dev/null 2>&1; then
    need_package nix-store nix-bin
    # Mount points of test stores, too: Debian's package leaves /nix to whoever writes it first.
    as_root mkdir -p /nix
    # The daemon, and the users that builds run as: builds that run as root could change what they read.
    need_package /usr/share/doc/nix-setup-systemd nix-setup-systemd
    if [ "$(id -u)" != 0 ]; then
      say "switching Nix's sandbox on in /etc/nix/nix.conf: Debian ships it off"
      as_root sed -i 's/^sandbox *=.*/sandbox = true/' /etc/nix/nix.conf
      if [ -d /run/systemd/system ]; then as_root systemctl restart nix-daemon.service; fi
    fi
  fi
  if [ "$(id -u)" != 0 ]; then need_daemon "$@"; fi
}

daemon_answers() { nix-store --check-validity --print-invalid >/dev/null 2>&1; }

# Start the daemon where it does not run, and join the group that may speak to it: by starting the script anew, since
# groups are given to a process when it starts. Arguments: the script's own.
need_daemon() {
  if daemon_answers; then return; fi
  if [ -d /run/systemd/system ]; then
    as_root systemctl start nix-daemon.socket
  elif [ ! -S /nix/var/nix/daemon-socket/socket ] || ! as_root pgrep -x nix-daemon >/dev/null; then
    as_root sh -c 'setsid nix-daemon >/var/log/nix-daemon.log 2>&1 </dev/null &'
    sleep 2
  fi
  if daemon_answers; then return; fi
  if ! id -nG | tr ' ' '\n' | grep -qx nix-users && [ -z "${REPROBUILD_JOINED_GROUP:-}" ]; then
    say "joining the group nix-users, which may speak to nix-daemon"
    as_root usermod -aG nix-users "$(id -un)"
    REPROBUILD_JOINED_GROUP=1 exec sg nix-users -c "$(printf '%q ' "$0" "$@")"
  fi
  die "nix-daemon does not answer: see \`sudo journalctl -u nix-daemon\` or /var/log/nix-daemon.log"
}

# The interpreter of the virtual environment: 3.11 or newer.
find_python() {
  for candidate in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  die "Python 3.11 or newer is missing"
}

# Make .venv and fill it with pinned, hash-checked packages. Argument: requirements file.
need_venv() {
  local wanted
  wanted=$(cat "$1" "$root/pyproject.toml" | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$venv/.filled-from" 2>/dev/null)" = "$wanted" ]; then return; fi
  need_package python3 python3
  local python
  python=$(find_python)
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then need_package /usr/share/doc/python3-venv python3-venv; fi
  say "installing the reprobuild command into .venv"
  [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e "$root"
  # Also where PYTHONDONTWRITEBYTECODE is set: commands start in half the time with byte-code.
  "$venv/bin/python" -m compileall -q "$root/python" "$venv/lib" >/dev/null || true
  echo "$wanted" > "$venv/.filled-from"
}

# Unpack packages of another Debian suite, with what they need, into FOLDER/system: nothing is installed. apt checks them
# as always. Arguments: suite, folder, packages.
unpack_suite() {
  local suite=$1 folder=$2 mirror apt package
  shift 2
  need_package /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
  need_venv "$root/requirements/dev.txt"
  mirror=$("$venv/bin/python" -c 'import os
from reprobuild.adapters.debian.mirrors import find_mirrors
print(next(iter(find_mirrors((), os.environ).live)).url)')
  say "unpacking $* of Debian $suite"
  apt=$folder/apt
  mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
  : > "$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/sources.list"
  local options=(-qq -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
    -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o APT::Install-Recommends=false -o Debug::NoLocking=true
    -o Acquire::Check-Valid-Until=false)  # mirrors that lag behind, or stand still; signatures count all the same
  if [ "$(id -u)" = 0 ]; then options+=(-o APT::Sandbox::User=root); fi
  apt-get "${options[@]}" update
  apt-get "${options[@]}" install --download-only -y "$@" >/dev/null
  for package in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$package" "$folder/system"; done
  rm -rf "$apt"
}
