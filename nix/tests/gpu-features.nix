{ library, ... }:
{
  gpuFeatures = {
    testAnyGpu = { expr = library.gpuFeatures { }; expected = [ "cuda" ]; };
    testAll = {
      expr = library.gpuFeatures {
        hardware = { gpu = "h100"; compute_capability = "9.0"; };
        driver = { minimum = "580.65.06"; branch = "580"; };
      };
      expected = [ "cuda" "gpu-h100" "cuda-sm-90" "nvidia-driver-580" "nvidia-driver-branch-580" ];
    };
  };
}
