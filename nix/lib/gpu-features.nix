# Which system features a stage's builder must have. The same rules as python/reprobuild/core/gpu_features.py.
let
  table = builtins.fromJSON (builtins.readFile ./cuda.json);
  feature = kind: value: if value == null || value == "" then [ ] else [ "${kind}${value}" ];
  branch = version: if version == null then null else builtins.head (builtins.splitVersion version);
  toolkit = version: table.toolkits.${version} or (throw
    "reprobuild.toml: cuda.toolkit: ${version} is not known; known are ${builtins.concatStringsSep ", " (builtins.attrNames table.toolkits)}");
  # As the spec says, else as its toolkit needs.
  leastDriver = spec:
    if (spec.driver.minimum or null) != null then spec.driver.minimum
    else if spec ? cuda then (toolkit spec.cuda.toolkit).minimum_driver
    else null;
in
/** What [hardware], [driver] and [cuda] ask of the builder of a stage with `gpu = true`.
    Type: gpuFeatures :: AttrSet -> [ String ]
    Example: gpuFeatures { hardware = { compute_capability = "9.0"; }; driver.minimum = "580.65"; }
      => [ "cuda" "cuda-sm-90" "nvidia-driver-580" ] */
spec:
[ "cuda" ]
++ feature "gpu-" (spec.hardware.gpu or null)
++ feature "cuda-sm-" (builtins.replaceStrings [ "." ] [ "" ] (spec.hardware.compute_capability or ""))
++ feature "nvidia-driver-" (branch (leastDriver spec))
++ feature "nvidia-driver-branch-" (spec.driver.branch or null)
