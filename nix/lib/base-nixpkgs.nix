# The system below Python, out of a package set that the caller brings, such as nixpkgs.
#
# Same interface as base-debian.nix. Nothing is built here: the interpreter and the libraries are the package
# set's own. What the package set is, the caller pins (a flake's lock); `pin` says which Python was locked for.
{ }:
/** Type: baseNixpkgs :: { pin :: AttrSet; nixpkgs :: AttrSet | Null; ... } -> Base
    Example: (baseNixpkgs { pin.python_version = "3.13"; nixpkgs = import <nixpkgs> { }; }).python
      => "/nix/store/…-python3-3.13.5/bin/python3.13" */
{ pin, nixpkgs, ... }:
let
  pythonVersion = pin.python_version;
  attribute = "python${builtins.replaceStrings [ "." ] [ "" ] pythonVersion}";
  python = nixpkgs.${attribute} or (throw "reprobuild: the package set has no ${attribute}, which reprobuild.lock asks for");
in
if nixpkgs == null
then throw "reprobuild.toml: base.kind nixpkgs needs a package set: give mkProject { nixpkgs = …; }"
else {
  drv = python;
  python = "${python}/bin/python${pythonVersion}";
  inherit pythonVersion;
  variables = {
    # This python has no search path of ours: without it wheels do not find the C++ runtime.
    LD_LIBRARY_PATH = "${nixpkgs.stdenv.cc.cc.lib}/lib:${nixpkgs.zlib}/lib";
    PYTHONTZPATH = "${nixpkgs.tzdata}/share/zoneinfo";
  };
}
