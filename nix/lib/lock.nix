# The lock: read, checked against the spec, and narrowed to one system.
let
  withoutNulls = set: builtins.removeAttrs set (builtins.filter (name: set.${name} == null) (builtins.attrNames set));
  only = names: set: builtins.listToAttrs (map (name: { inherit name; value = set.${name}; })
    (builtins.filter (name: set ? ${name}) names));
in
rec {
  /** Digests of the parts of a complete spec that a lock is made from.
      The same rule as `input_digests` in python/reprobuild/core/lock_inputs.py; a test compares the two.
      Type: inputDigests :: Path -> AttrSet -> { base :: String; data :: String; python :: String } */
  inputDigests = project: spec: builtins.mapAttrs (_: part: builtins.hashString "sha256" (builtins.toJSON part)) {
    base = {
      base = builtins.removeAttrs spec.base [ "mirrors" ];
      inherit (spec.hardware) system;
    };
    data = builtins.mapAttrs (_: dataset: only [ "path" "url" "sha256" ] dataset) spec.datasets;
    python = withoutNulls {
      inherit (spec) python;
      inherit (spec.hardware) system;
      cuda = spec.cuda or null;
      requirements_digest =
        if spec.python ? requirements_file
        then builtins.hashFile "sha256" (project + "/${spec.python.requirements_file}") else null;
    };
  };

  /** Read and check a project's lock.
      Type: read :: Path -> AttrSet -> { pin :: AttrSet; sources :: [ AttrSet ]; file :: Path } */
  read = project: spec:
    let
      path = project + "/reprobuild.lock";
      lock = if builtins.pathExists path then builtins.fromJSON (builtins.readFile path)
        else throw "reprobuild.lock is missing: run `reprobuild lock`";
      system = spec.hardware.system;
      digests = inputDigests project spec;
      stale = builtins.filter (part: (lock.inputs.${part} or "") != digests.${part}) (builtins.attrNames digests);
    in
    if (lock.schema or "") != "reprobuild.lock/1"
    then throw "reprobuild.lock: expected schema reprobuild.lock/1, found ${lock.schema or "none"}"
    else if stale != [ ]
    then throw "reprobuild.lock is stale: in reprobuild.toml [${builtins.head stale}] has changed since; run `reprobuild lock`"
    else if !(lock.systems ? ${system})
    then throw "reprobuild.lock has nothing for ${system}: run `reprobuild lock`"
    else {
      pin = lock.systems.${system};
      sources = builtins.filter (source: (source.system or system) == system) lock.sources;
      file = builtins.path { inherit path; name = "reprobuild.lock"; };
    };
}
