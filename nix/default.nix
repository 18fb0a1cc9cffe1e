# The library: pure functions over a project's spec and lock. Imported by flakes and by the command line alike.
rec {
  names = import ./lib/names.nix;
  exact = import ./lib/exact.nix;
  spec = import ./lib/spec.nix;
  lock = import ./lib/lock.nix;
  numerics = import ./lib/numerics.nix;
  sources = import ./lib/sources.nix { inherit names; };
  bases = {
    debian = import ./lib/base-debian.nix { inherit sources; };
  };
  wheels = import ./lib/wheels.nix { inherit names sources; };
  environment = import ./lib/environment.nix { inherit sources wheels; };
  data = import ./lib/data.nix { inherit sources; };
  projectFiles = import ./lib/project-files.nix { inherit names; };
  # What runs inside the sandbox; a change of the command line never reaches it.
  worker = builtins.path {
    path = ../python;
    name = "reprobuild-worker";
    filter = path: _:
      builtins.match ".*/python/reprobuild_worker(/[^.]*(\\.py)?)?" path != null
      && baseNameOf path != "__pycache__";
  };
  stages = import ./lib/stages.nix { inherit exact numerics projectFiles data worker; };
  model = import ./lib/model.nix { inherit exact worker; };

  /** A project's derivations.
      Type: project :: { path :: Path; overrides ? AttrSet } -> { model, stages, environment, base, sources, spec } */
  project = { path, overrides ? { } }:
    let
      effective = spec.read path overrides;
      system = effective.hardware.system;
      pinned = lock.read path effective;
      entries = pinned.sources;
      base = bases.${effective.base.kind} { inherit (pinned) pin; inherit entries system; };
      env = environment { inherit base entries system; };
      built = stages { project = path; spec = effective; environment = env; inherit entries system; };
    in
    {
      spec = effective;
      base = base.drv;
      environment = env;
      stages = builtins.mapAttrs (_: stage: stage.drv) built;
      sources = map (entry: { inherit (entry) kind name; path = sources.source entry; }) entries;
      model = model { spec = effective; lock = pinned; stages = built; inherit base system; };
    };
}
