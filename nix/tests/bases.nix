{ library, fails, standIns, ... }:
let
  inherit (library) bases;
  inherit (standIns) entries packageSet pin system;
  debian = bases.debian { inherit entries pin system; nixpkgs = null; };
  nixpkgs = bases.nixpkgs { inherit entries pin system; nixpkgs = packageSet; };
  # What every base offers, and of which kind.
  shape = base: builtins.mapAttrs (_: builtins.typeOf) base;
in
{
  baseDebian = {
    testName = { expr = debian.drv.name; expected = "base-debian-bookworm-python-3.11"; };
    testLoader = { expr = debian.drv.loaderName; expected = "ld-linux-x86-64.so.2"; };
    testPackageDecides = {
      expr = debian.drv.drvPath == (bases.debian { entries = map (e: e // { sha256 = "sha256:${builtins.hashString "sha256" e.name}"; }) entries; inherit pin system; }).drv.drvPath;
      expected = false;
    };
  };
  baseNixpkgs = {
    testSameInterface = { expr = shape nixpkgs; expected = shape debian; };
    testPythonOfTheLock = { expr = nixpkgs.python; expected = "${packageSet.python311}/bin/python3.11"; };
    testLibraries = { expr = nixpkgs.variables.LD_LIBRARY_PATH; expected = "${packageSet.stdenv.cc.cc.lib}/lib:${packageSet.zlib}/lib"; };
    testOtherPythonIsNotTaken = {
      expr = fails (bases.nixpkgs { pin = pin // { python_version = "3.12"; }; nixpkgs = packageSet; }).python;
      expected = true;
    };
    testNoPackageSet = { expr = fails (bases.nixpkgs { inherit pin; nixpkgs = null; }).python; expected = true; };
  };
}
