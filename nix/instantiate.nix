# What the command line asks for: one JSON argument in, JSON out (`nix-instantiate --eval --strict --json`).
{ request }:
let
  asked = builtins.fromJSON request;
  project = (import ./default.nix).project {
    path = /. + asked.project;
    overrides = asked.overrides or { };
    replaced = asked.replaced or { };
  };
  describe = drv:
    if builtins.isAttrs drv then { drv_path = drv.drvPath; out_path = drv.outPath; }
    else { drv_path = drv; out_path = drv; };
in
{
  model = describe project.model;
  stages = builtins.mapAttrs (_: describe) project.stages;
  environment = describe project.environment;
  base = describe project.base;
  wheels = map describe project.environment.wheels;
  shims = map describe project.shims;
}
