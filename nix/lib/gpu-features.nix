# Which system features a stage's builder must have. The same rules as python/reprobuild/core/gpu_features.py.
let
  leastDriver = import ./least-driver.nix;
  feature = kind: value: if value == null || value == "" then [ ] else [ "${kind}${value}" ];
  branch = version: if version == null then null else builtins.head (builtins.splitVersion version);
in
/** What [hardware], [driver] and [cuda] ask of the builder of a stage with `gpu = true`.
    Type: gpuFeatures :: AttrSet -> [ String ]
    Example: gpuFeatures { hardware = { compute_capability = "9.0"; }; driver.minimum = "580.65"; }
      => [ "cuda" "cuda-sm-90" "nvidia-driver-580" ] */
spec:
[ "cuda" ]
++ feature "gpu-" (spec.hardware.gpu or null)
++ feature "cuda-sm-" (builtins.replaceStrings [ "." ] [ "" ] (spec.hardware.compute_capability or ""))
++ feature "nvidia-driver-" (branch (leastDriver spec).version)
++ feature "nvidia-driver-branch-" (spec.driver.branch or null)
