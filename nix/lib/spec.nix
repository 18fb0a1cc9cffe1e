# The spec as it is meant: the file, with overrides and defaults filled in.
#
# The defaults are generated from the Python classes (`reprobuild schema --defaults`), so there is one place for them.
{ specCheck }:
let
  defaults = builtins.fromJSON (builtins.readFile ./spec-defaults.json);
  each = section: check: values: builtins.mapAttrs (_: value: check (defaults.${section} // value)) values;
  # A section that means something by being there.
  given = section: spec: if spec ? ${section} then { ${section} = defaults.${section} // spec.${section}; } else { };
  checked = key: check: set: if set ? ${key} then set // { ${key} = check set.${key}; } else set;
in
rec {
  /** One tree laid over another: sections are joined key by key, everything else is replaced.
      The same rule as `merged` in python/reprobuild/core/overrides.py; a test compares the two.
      Type: merge :: AttrSet -> AttrSet -> AttrSet
      Example: merge { a = { x = 1; y = 2; }; } { a.y = 3; } => { a = { x = 1; y = 3; }; } */
  merge = left: right:
    left // builtins.mapAttrs
      (name: value:
        if builtins.isAttrs value && builtins.isAttrs (left.${name} or null) then merge left.${name} value else value)
      right;

  /** A path, if it stays inside the project. One spelling only: digests are taken over the text.
      Type: projectPath :: String -> String
      Example: projectPath "../rows.csv" => error: reprobuild.toml: ../rows.csv: not a path inside the project */
  projectPath = path:
    let parts = builtins.filter builtins.isString (builtins.split "/" path); in
    if builtins.any (part: builtins.elem part parts) [ "" "." ".." ]
    then throw "reprobuild.toml: ${path}: not a path inside the project" else path;

  /** Fill in what a spec leaves out.
      Type: complete :: AttrSet -> AttrSet
      Example: (complete { model = { ... }; stages = { ... }; }).numerics.seed => 0 */
  complete = spec: spec // {
    model = defaults.model // (spec.model or (throw "reprobuild.toml: section [model] is missing"));
    base = defaults.base // (spec.base or { });
    python = checked "requirements_file" projectPath (defaults.python // (spec.python or { }));
    hardware = defaults.hardware // (spec.hardware or { });
    numerics = defaults.numerics // (spec.numerics or { });
    datasets = each "dataset" (checked "path" projectPath) (spec.datasets or { });
    stages = each "stage" (checked "files" (map projectPath))
      (spec.stages or (throw "reprobuild.toml: no [stages.NAME] section"));
    metrics = each "metric" (metric: metric) (spec.metrics or { });
    artifact = defaults.artifact // (spec.artifact or { });
  } // given "cuda" spec // given "driver" spec;

  /** Read a project's spec, lay overrides over it, and refuse what this release does not know.
      Type: read :: Path -> AttrSet -> AttrSet
      Example: (read ./. { numerics.seed = 1; }).numerics.seed => 1 */
  read = project: overrides:
    let document = builtins.fromTOML (builtins.readFile (project + "/reprobuild.toml")); in
    complete (specCheck (merge document overrides));
}
