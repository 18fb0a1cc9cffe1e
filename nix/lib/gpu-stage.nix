# What the derivation of a stage with `gpu = true` has that no other has: the handshake in front of the worker.
{ exact, handshake, leastDriver, sources, worker }:
/** It measures the machine before user code and refuses one that [hardware], [driver] and [cuda] do not ask for.
    Type: gpuStage :: { spec :: AttrSet; entries :: [ AttrSet ]; base :: Base } -> AttrSet
    Example: (gpuStage { inherit spec entries base; }).args => [ "-s" "-m" "reprobuild_handshake" "stage" ] */
{ spec, entries, base }:
if spec.hardware.accelerator == "none"
then throw "reprobuild.toml: a stage has gpu = true and hardware.accelerator is none: write accelerator = \"nvidia\" into [hardware]"
else {
  args = [ "-s" "-m" "reprobuild_handshake" "stage" ];
  PYTHONPATH = "${worker}:${handshake}";
  # The driver's libraries come from the machine: its GPU hook shows them here (docs/decisions/gpu-hook.md).
  LD_LIBRARY_PATH = builtins.concatStringsSep ":"
    (builtins.filter (folder: folder != "") [ (base.variables.LD_LIBRARY_PATH or "") "/run/opengl-driver/lib" ]);
  reprobuildHardware = exact.toJSON {
    schema = "reprobuild.stage-hardware/1";
    inherit (spec.hardware) accelerator;
    gpu = spec.hardware.gpu or null;
    compute_capability = spec.hardware.compute_capability or null;
    driver = {
      minimum = (leastDriver spec).version;
      minimum_from = (leastDriver spec).key;
      branch = spec.driver.branch or null;
    };
    # For the probe alone, which runs in a process of its own: user code may bring another release.
    nvml = "${sources.named "tool" "nvidia-ml-py" entries}";
  };
}
