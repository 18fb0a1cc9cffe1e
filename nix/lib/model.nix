# The artifact: weights, metrics, card, manifest, sources, spec and lock as built, in one store path.
{ exact, worker }:
/** Type: model :: { spec; lock; stages; base; system } -> Derivation */
{ spec, lock, stages, base, system }:
derivation {
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
    inherit spec;
    lock = "${lock.file}";
    stages = builtins.mapAttrs (_: stage: "${stage.drv}") stages;
    sources = builtins.mapAttrs (_: stage: stage.source) stages;
  };
}
