"""Further machines for tests: each a network, mount and process namespace with a Nix store and a real sshd of its own.

A host is one process (the first of its process namespace): when that ends, everything on the host ends with it, and
the kernel takes its network away. Nothing is reachable from outside: the only links lead to the client's namespace.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.integration.conftest import World, cannot_build

SSHD = "/usr/sbin/sshd"
# Binds the host's own folders, then waits for ever. $0: folder of the host, $1: size of its store's disk in MiB or "".
_BOOT = """set -e
mount -t tmpfs tmpfs /run
mkdir -p -m 1777 /run/lock
mkdir -p /run/sshd "$0/nix/store" "$0/home"
[ -d /nix ] || mkdir /nix
if [ -n "$1" ]; then mount -t tmpfs -o "size=$1m" tmpfs "$0/nix"; mkdir -p "$0/nix/store"; fi
mount --bind "$0/nix" /nix
ip link set lo up
touch "$0/up"
sleep infinity &
wait
"""
_NIX_CONF = """
build-users-group =
sandbox = true
sandbox-fallback = false
sandbox-paths =
substituters =
extra-experimental-features = nix-command flakes
trusted-users = root
max-jobs = 2
"""
# The Nix that tests run with comes first: scripts/test --nix chooses another release.
_USUAL_PATH = ":".join(
    [
        str(Path(shutil.which("nix-store") or "/usr/bin/nix-store").parent),
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]
)


@dataclass
class Host:
    """A machine that the client reaches as `root@NAME`, where `NAME` is in its ssh configuration."""

    name: str
    folder: Path
    address: str
    namespace: subprocess.Popen[bytes]  # its one child is the first process of the host
    settings: dict[str, str] = field(default_factory=dict)  # of its nix.conf, besides the usual ones

    @property
    def first_process(self) -> int:
        pid = self.namespace.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    @property
    def uri(self) -> str:
        return f"ssh-ng://root@{self.name}"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def key(self) -> Path:
        """Its private host key; the public one lies beside it, `.pub`."""
        return self.folder / "host_key"

    def run(
        self, arguments: Sequence[str], *, timeout_s: float = 300, status: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the host itself, not through ssh."""
        inside = ["nsenter", "-t", str(self.first_process), "--net", "--mount", "--pid", "--"]
        done = subprocess.run(
            [*inside, "env", "-i", f"PATH={_USUAL_PATH}", f"HOME={self.home}",
             f"NIX_CONF_DIR={self.folder / 'etc'}", *arguments],
            cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        assert status is None or done.returncode == status, (
            f"{self.name}: {arguments}\n{done.stdout}{done.stderr}"
        )
        return done

    def valid(self, store_path: str) -> bool:
        """Whether its store has this path."""
        return self.run(["nix-store", "--check-validity", store_path], status=None).returncode == 0

    def file(self, store_path: str) -> Path:
        """Where a path of its store lies for the test process."""
        return Path(f"/proc/{self.first_process}/root{store_path}")

    def processes(self, part: str) -> list[int]:
        """Processes on the host, also in sandboxes, whose command line has `part`; numbered as for the test."""
        parents: dict[int, int] = {}
        words: dict[int, str] = {}
        for one in Path("/proc").iterdir():
            try:
                if one.name.isdigit():
                    parents[int(one.name)] = int((one / "stat").read_text().rpartition(")")[2].split()[1])
                    line = (one / "cmdline").read_bytes().replace(b"\0", b" ")
                    words[int(one.name)] = line.decode(errors="replace")
            except OSError:
                continue

        first = self.first_process

        def is_here(pid: int) -> bool:
            while pid in parents:
                pid = parents[pid]
                if pid == first:
                    return True
            return False

        return [pid for pid, line in words.items() if part in line and is_here(pid)]

    def configure(self, **settings: str) -> None:
        """Set lines of its nix.conf; `_` in names stands for `-`."""
        self.settings |= {key.replace("_", "-"): value for key, value in settings.items()}
        lines = "".join(f"{key} = {value}\n" for key, value in self.settings.items())
        (self.folder / "etc").mkdir(exist_ok=True)
        (self.folder / "etc" / "nix.conf").write_text(_NIX_CONF + lines)

    def start_sshd(self, *, path: str = _USUAL_PATH, authorized: Path | None = None) -> None:
        """Start its ssh server, anew where it runs.

        Args:
            path: PATH of what clients run here.
            authorized: file with the keys that may log in; by default the client's key.
        """
        self.stop_sshd()
        config = self.folder / "sshd_config"
        config.write_text(
            f"ListenAddress {self.address}\nHostKey {self.key}\nPidFile /run/sshd.pid\n"
            f"AuthorizedKeysFile {authorized or self.folder.parent / 'client_key.pub'}\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "PermitRootLogin prohibit-password\nClientAliveInterval 1\nClientAliveCountMax 3\n"
            f'SetEnv "PATH={path}" "NIX_CONF_DIR={self.folder / "etc"}" "HOME={self.home}"\n'
        )
        self.run([SSHD, "-f", str(config), "-E", str(self.folder / "sshd.log")])

    def stop_sshd(self) -> None:
        """End its ssh server, and with it all connections; what clients ran here finds out by itself."""
        for pid in self.processes("sshd"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        _wait(lambda: not self.processes("sshd"), f"sshd of {self.name} does not end")

    def new_host_key(self) -> None:
        """Become a machine that clients do not know; takes hold when sshd starts."""
        self.key.unlink(missing_ok=True)
        _keygen(self.key)

    def unplug(self) -> None:
        """Pull the cable: packets get lost, nobody is told."""
        self.run(["ip", "link", "set", "eth0", "down"])

    def plug_in(self) -> None:
        """Put the cable back, and say something, so that the other end knows at once."""
        self.run(["ip", "link", "set", "eth0", "up"])
        gateway = self.address.rpartition(".")[0] + ".1"
        self.run(["bash", "-c", f"echo > /dev/udp/{gateway}/9"])

    def power_off(self) -> None:
        """End everything on the host at once."""
        self.namespace.kill()
        self.namespace.wait()


@dataclass
class Lab:
    """A client's network, and hosts that it can reach."""

    folder: Path
    client: subprocess.Popen[bytes]  # keeps the client's network namespace
    hosts: dict[str, Host] = field(default_factory=dict)

    def host(self, name: str, features: Sequence[str] = (), *, disk_mib: int | None = None) -> Host:
        """Start one more machine.

        Args:
            features: what its Nix offers, besides nothing.
            disk_mib: size of its store's disk; None: as much as there is.
        """
        number = len(self.hosts) + 1
        folder = self.folder / name
        folder.mkdir()
        boot = ["sh", "-c", _BOOT, str(folder), str(disk_mib or "")]
        namespace = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork",
             "--kill-child", "--mount-proc", *boot],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        _wait(lambda: (folder / "up").exists(), f"{name} does not start")
        made = Host(name, folder, f"10.93.{number}.2", namespace)
        self._plug(made, number)
        made.configure(system_features=" ".join(features))
        made.new_host_key()
        made.start_sshd()
        self.hosts[name] = made
        self.know(made)
        return made

    def know(self, host: Host) -> None:
        """Let the client know the host's key as it is now."""
        known = [
            f"{one.address} {' '.join(one.key.with_suffix('.pub').read_text().split()[:2])}\n"
            for one in {**self.hosts, host.name: host}.values()
        ]
        (self.folder / "known_hosts").write_text("".join(known))
        entries = "".join(f"Host {one.name}\n  HostName {one.address}\n" for one in self.hosts.values())
        (self.folder / "ssh_config").write_text(
            f"{entries}Host *\n  User root\n  IdentityFile {self.folder / 'client_key'}\n"
            "  IdentitiesOnly yes\n  BatchMode yes\n  StrictHostKeyChecking yes\n  ConnectTimeout 3\n"
            "  ServerAliveInterval 1\n  ServerAliveCountMax 3\n"
            f"  UserKnownHostsFile {self.folder / 'known_hosts'}\n"
        )

    def world(self, world: World) -> World:
        """The same store and home as a machine in the lab: it reaches the hosts, and nothing else."""
        enter = ("nsenter", "-t", str(self.client.pid), "--net")
        return replace(world, enter=enter, variables={"NIX_SSHOPTS": f"-F {self.folder / 'ssh_config'}"})

    def shape(self, host: Host, mbit_per_s: int) -> None:
        """Let no more than this through from the client to a host."""
        link = f"to-{list(self.hosts).index(host.name) + 1}"
        shape = ["tc", "qdisc", "replace", "dev", link, "root", "tbf", "rate", f"{mbit_per_s}mbit"]
        inside = ["nsenter", "-t", str(self.client.pid), "--net", *shape, "burst", "32kb", "latency", "200ms"]
        subprocess.run(inside, check=True)

    def ssh(self, host: Host, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on a host as the client would, through ssh."""
        return subprocess.run(
            ["nsenter", "-t", str(self.client.pid), "--net",
             "ssh", "-F", str(self.folder / "ssh_config"), host.name, *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def _plug(self, host: Host, number: int) -> None:
        """A cable between the client and the host, with an address at each end."""
        link = f"to-{number}"
        for arguments in (
            ["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(host.first_process)],
            ["addr", "add", f"10.93.{number}.1/24", "dev", link],
            ["link", "set", link, "up"],
        ):
            subprocess.run(["nsenter", "-t", str(self.client.pid), "--net", "ip", *arguments], check=True)
        host.run(["ip", "addr", "add", f"{host.address}/24", "dev", "eth0"])
        host.run(["ip", "link", "set", "eth0", "up"])


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """An empty lab; everything in it ends with it."""
    if os.geteuid() != 0:
        pytest.skip("a second machine needs root: namespaces with a network and an sshd")
    for program, package in ((SSHD, "openssh-server"), ("ssh", "openssh-client"), ("ip", "iproute2")):
        if shutil.which(program) is None:
            cannot_build(f"{package} is not installed: scripts/test installs it")
    folder.mkdir(parents=True, exist_ok=True)
    _keygen(folder / "client_key")
    client = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c",
         'ip link set lo up && touch "$0" && exec sleep infinity', str(folder / "up")],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    made = Lab(folder, client)
    try:
        _wait(lambda: (folder / "up").exists() or client.poll() is not None, "the client's network")
        if client.poll() is not None:
            cannot_build(f"network namespaces are not available: {client.stderr.read().decode()}")  # type: ignore[union-attr]
        yield made
    finally:
        for host in made.hosts.values():
            host.power_off()
        client.kill()
        client.wait()
        if client.stderr is not None:
            client.stderr.close()
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(done: Callable[[], bool], what: str, timeout_s: float = 10) -> None:
    end = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def _keygen(file: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)],
        stdin=subprocess.DEVNULL,
        check=True,
    )
