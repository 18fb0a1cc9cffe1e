# The level portable, from the lock to a stage. Nothing is built.
{ library, fails, standIns, ... }:
let
  inherit (standIns) entries entry pin system;
  compiler = entry "compiler" "tcc" "0.9.27" "tcc_0.9.27_amd64.deb";
  base = library.bases.debian { inherit entries pin system; nixpkgs = null; };
  shim = library.portableShim { inherit base system; entries = entries ++ [ compiler ]; };
  stage = numerics: shims: (library.stages {
    project = standIns.project;
    spec = library.spec.complete (standIns.spec // { inherit numerics; });
    environment = base.drv;
    inherit base entries shims system;
  }).train.drv;
  portable = stage { level = "portable"; } [ shim ];
in
{
  portableShim = {
    testName = { expr = shim.name; expected = "portable-shim.so"; };
    testNoCompilerInTheLock = { expr = fails (library.portableShim { inherit base entries system; }).drvPath; expected = true; };
  };
  stages = {
    testPreload = { expr = portable.LD_PRELOAD; expected = "${shim}"; };
    testNixChecksForAvx2 = { expr = portable.system; expected = "x86_64-v3-linux"; };
    testOtherLevelsPreloadNothing = {
      expr = map (level: (stage { inherit level; } [ ]) ? LD_PRELOAD) [ "exact" "tolerant" ];
      expected = [ false false ];
    };
    testOtherLevelsBuildAnywhere = {
      expr = map (level: (stage { inherit level; } [ ]).system) [ "exact" "tolerant" ];
      expected = [ system system ];
    };
  };
}
