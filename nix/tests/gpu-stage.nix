# Stages on a GPU, in a project whose lock has the tool that measures.
{ library, fails, standIns, ... }:
let
  inherit (standIns) system;
  tool = standIns.entry "tool" "nvidia-ml-py" "13.0" "nvidia_ml_py-13.0-py3-none-any.whl";
  entries = standIns.entries ++ [ tool ];
  base = library.bases.debian { inherit entries system; inherit (standIns) pin; };
  environment = library.environment { inherit base entries system; };
  stages = changes: builtins.mapAttrs (_: stage: stage.drv) (library.stages {
    project = standIns.project;
    spec = library.spec.complete (library.spec.merge standIns.spec changes);
    shims = [ ];
    inherit entries base environment system;
  });
  plain = stages { };
  nvidia = { hardware.accelerator = "nvidia"; };
  onGpu = stages (nvidia // { stages.evaluate.gpu = true; driver.minimum = "580.65.06"; });
  asked = builtins.fromJSON (builtins.unsafeDiscardStringContext onGpu.evaluate.reprobuildHardware);
in
{
  gpuStage = {
    testItStartsTheHandshake = { expr = onGpu.evaluate.args; expected = [ "-s" "-m" "reprobuild_handshake" "stage" ]; };
    testFeatures = { expr = onGpu.evaluate.requiredSystemFeatures; expected = [ "cuda" "nvidia-driver-580" ]; };
    testAsked = {
      expr = builtins.removeAttrs asked [ "nvml" ];
      expected = {
        schema = "reprobuild.stage-hardware/1";
        accelerator = "nvidia";
        gpu = null;
        compute_capability = null;
        driver = { minimum = "580.65.06"; minimum_from = "driver.minimum"; branch = null; };
      };
    };
    testTheToolIsAnInput = { expr = library.names.hasSuffix "nvidia_ml_py-13.0-py3-none-any.whl" asked.nvml; expected = true; };
    testStagesOnTheCpuStay = { expr = onGpu.train.drvPath; expected = plain.train.drvPath; };
    testNoneAskedFor = { expr = fails (stages { stages.evaluate.gpu = true; }).evaluate.drvPath; expected = true; };
  };
}
