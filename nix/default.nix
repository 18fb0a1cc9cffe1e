# The library: pure functions over a project's spec and lock. Imported by flakes and by the command line alike.
rec {
  names = import ./lib/names.nix;
  exact = import ./lib/exact.nix;
  selection = import ./lib/selection.nix { inherit names; };
  specCheck = import ./lib/spec-check.nix;
  spec = import ./lib/spec.nix { inherit specCheck; };
  lock = import ./lib/lock.nix { inherit exact; };
  numerics = import ./lib/numerics.nix;
  sources = import ./lib/sources.nix { inherit names; };
  bases = {
    debian = import ./lib/base-debian.nix { inherit sources; };
    nixpkgs = import ./lib/base-nixpkgs.nix { };
  };
  wheels = import ./lib/wheels.nix { inherit names sources; };
  environment = import ./lib/environment.nix { inherit sources wheels; };
  data = import ./lib/data.nix { inherit sources; };
  projectFiles = import ./lib/project-files.nix { inherit names selection; };
  pythonSource = import ./lib/python-source.nix { inherit names selection; };
  worker = pythonSource { name = "reprobuild-worker"; packages = [ "reprobuild_worker" ]; } ../python;
  handshake = pythonSource
    { name = "reprobuild-handshake"; packages = [ "reprobuild_handshake" "reprobuild_probe" ]; } ../python;
  portableShim = import ./lib/portable-shim.nix { inherit sources; };
  cudaCompiler = import ./lib/cuda-compiler.nix { inherit sources wheels; };
  leastDriver = import ./lib/least-driver.nix;
  gpuFeatures = import ./lib/gpu-features.nix;
  gpuStage = import ./lib/gpu-stage.nix { inherit exact handshake leastDriver sources worker; };
  stages = import ./lib/stages.nix { inherit exact gpuFeatures gpuStage numerics projectFiles data worker; };
  model = import ./lib/model.nix { inherit exact worker; };
  mkProject = import ./lib/flake-project.nix { inherit project; };

  /** A project's derivations.
      Type: project :: { path :: Path; overrides ? AttrSet; nixpkgs ? AttrSet | Null; replaced ? AttrSet }
        -> { model, stages, environment, base, shims, spec }
      Example: (project { path = ./.; }).model.name => "digits-1.0.0" */
  project = { path, overrides ? { }, nixpkgs ? null, replaced ? { } }:
    let
      effective = spec.read path overrides;
      system = effective.hardware.system;
      pinned = lock.read path effective;
      entries = pinned.sources;
      base = bases.${effective.base.kind} { inherit (pinned) pin; inherit entries system nixpkgs; };
      env = environment { inherit base entries system; };
      shims = if effective.numerics.level != "portable" then [ ]
        else if effective.base.kind != "debian"
        then throw "reprobuild.toml: numerics.level: portable needs a debian base, whose archive has the compiler; found ${effective.base.kind}"
        else [ (portableShim { inherit base entries system; }) ];
      compilers = if !(effective.cuda.nvcc or false) then [ ]
        else if effective.base.kind != "debian"
        then throw "reprobuild.toml: cuda.nvcc: needs a debian base, whose archive has the host compiler; found ${effective.base.kind}"
        else [ (cudaCompiler { inherit base entries system; inherit (effective.cuda) toolkit; }) ];
      built = stages { project = path; spec = effective; environment = env; inherit entries base shims compilers system replaced; };
    in
    {
      spec = effective;
      base = base.drv;
      shims = shims ++ compilers;
      environment = env;
      stages = builtins.mapAttrs (_: stage: stage.drv) built;
      model = model { spec = effective; lock = pinned; stages = built; inherit base system; };
    };
}
