"""A builder takes as many builds at a time as its entry says, whoever sends them: locks that lie on the builder.

Nix counts the builds of one connection only, so that two people's trainings would share one GPU.
"""

from __future__ import annotations

import getpass
import platform
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory

from reprobuild.adapters.ssh import ssh_command
from reprobuild.domain.build_event import plain_text
from reprobuild.domain.machine import Machine

# $1: slots that the builder has, $2: how many to take at most, $3: for whom. The kernel lets go of them when this
# shell ends, which it does when the connection does. Descriptors of a POSIX shell have one digit: 3 to 9.
# Every account of the builder may write to the folder, and we may be root: files are only made anew (`set -C`, which
# follows no link) and only opened to be read.
# Where there is no folder for locks, or no flock, all are granted: such a builder does not queue.
_SCRIPT = """
folder=/run/lock/reprobuild
umask 0
mkdir -p "$folder" 2>/dev/null
if [ ! -w "$folder" ] || [ -L "$folder" ] || ! command -v flock >/dev/null; then echo "held $2"; exec cat >/dev/null; fi
said=
while :; do
  held=0 slot=1
  while [ "$slot" -le "$1" ] && [ "$held" -lt "$2" ]; do
    [ -e "$folder/$slot" ] || (set -C; : >"$folder/$slot") 2>/dev/null
    eval "exec $((held + 3))<\\"\\$folder/\\$slot\\""
    if flock -n "$((held + 3))"; then
      rm -f "$folder/$slot.who"
      (set -C; echo "$3" >"$folder/$slot.who") 2>/dev/null
      held=$((held + 1))
    fi
    slot=$((slot + 1))
  done
  [ "$held" = 0 ] || break
  [ -n "$said" ] || { said=1; echo "busy $(head -n 1 "$folder/1.who")"; }
  sleep 1
done
echo "held $held"
exec cat >/dev/null
"""
_MOST_AT_ONCE = 7


@contextmanager
def held_slots(machine: Machine, wanted: int, on_busy: Callable[[str], None]) -> Iterator[int]:
    """Wait until the builder has room, and keep others out of it meanwhile.

    Args:
        wanted: how many builds to run there at a time.
        on_busy: told once for whom it is busy (`user@host`), if it is.
    Yields:
        How many builds may run there at a time: at least one, `wanted` at most.
    """
    who = plain_text(f"{getpass.getuser()}@{platform.node()}")
    most = max(1, min(wanted, machine.max_jobs, _MOST_AT_ONCE))
    words = ["sh", "-c", _SCRIPT, "sh", str(machine.max_jobs), str(most), who]
    with TemporaryDirectory() as folder:
        command = [*ssh_command(machine, Path(folder)), " ".join(map(quote, words))]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as ssh:
            assert ssh.stdin is not None and ssh.stdout is not None
            held = most  # also where the machine went away: the build itself finds out, and says why
            try:
                for line in ssh.stdout:
                    word, _, rest = line.strip().partition(" ")
                    if word == "busy":
                        on_busy(plain_text(rest))
                    if word == "held":
                        held = int(rest)
                        break
                yield held
            finally:
                ssh.stdin.close()
