# The artifact: weights, metrics, card, manifest, sources, spec and lock as built, in one store path.
{ exact, worker }:
/** Type: model :: { spec; lock; stages; base; system } -> Derivation
    Example: (model { … }).name => "digits-1.0.0" */
{ spec, lock, stages, base, system }:
derivation (base.variables // {
  name = "${spec.model.name}-${spec.model.version}";
  inherit system;
  builder = base.python;
  args = [ "-s" "-S" "-m" "reprobuild_worker" "model" ];
  PATH = "${base.drv}/bin";
  PYTHONPATH = worker;
  PYTHONDONTWRITEBYTECODE = "1";
  PYTHONHASHSEED = "0";
  TZ = "UTC";
  LC_ALL = "C.UTF-8";
  reprobuildModel = exact.toJSON {
    schema = "reprobuild.model/1";
    # Mirrors are addresses and decide nothing: they stay out of the artifact.
    spec = spec // { base = builtins.removeAttrs spec.base [ "mirrors" ]; };
    lock = lock.file;
    stages = builtins.mapAttrs (_: stage: "${stage.drv}") stages;
    sources = builtins.mapAttrs (_: stage: stage.source) stages;
  };
})
