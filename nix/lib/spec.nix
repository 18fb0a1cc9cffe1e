# The spec as it is meant: the file, with overrides and defaults filled in.
#
# The defaults are generated from the Python classes (`reprobuild schema --defaults`), so there is one place for them.
let
  defaults = builtins.fromJSON (builtins.readFile ./spec-defaults.json);

  merge = left: right:
    left // builtins.mapAttrs
      (name: value:
        if builtins.isAttrs value && builtins.isAttrs (left.${name} or null) then merge left.${name} value else value)
      right;

  each = section: values: builtins.mapAttrs (_: value: defaults.${section} // value) values;
in
rec {
  /** Fill in what a spec leaves out.
      Type: complete :: AttrSet -> AttrSet
      Example: (complete { model = { ... }; stages = { ... }; }).numerics.seed => 0 */
  complete = spec: spec // {
    model = defaults.model // (spec.model or (throw "reprobuild.toml: section [model] is missing"));
    base = defaults.base // (spec.base or { });
    python = defaults.python // (spec.python or { });
    hardware = defaults.hardware // (spec.hardware or { });
    numerics = defaults.numerics // (spec.numerics or { });
    datasets = each "dataset" (spec.datasets or { });
    stages = each "stage" (spec.stages or (throw "reprobuild.toml: no [stages.NAME] section"));
    metrics = each "metric" (spec.metrics or { });
    artifact = defaults.artifact // (spec.artifact or { });
  };

  /** Read a project's spec.
      Type: read :: Path -> AttrSet -> AttrSet
      Example: read ./. { numerics.seed = 1; } */
  read = project: overrides:
    complete (merge (builtins.fromTOML (builtins.readFile (project + "/reprobuild.toml"))) overrides);
}
