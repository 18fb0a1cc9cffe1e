{ library, fails, ... }:
{
  leastDriver = {
    testSpec = {
      expr = library.leastDriver { driver.minimum = "590.44"; cuda.toolkit = "13.0"; };
      expected = { version = "590.44"; key = "driver.minimum"; };
    };
    testToolkit = {
      expr = library.leastDriver { driver.branch = "590"; cuda.toolkit = "13.0"; };
      expected = { version = "580"; key = "cuda.toolkit"; };
    };
    testNeither = { expr = (library.leastDriver { }).version; expected = null; };
  };
  gpuFeatures = {
    testAnyGpu = { expr = library.gpuFeatures { }; expected = [ "cuda" ]; };
    testAll = {
      expr = library.gpuFeatures {
        hardware = { gpu = "h100"; compute_capability = "9.0"; };
        driver = { minimum = "580.65.06"; branch = "580"; };
      };
      expected = [ "cuda" "gpu-h100" "cuda-sm-90" "nvidia-driver-580" "nvidia-driver-branch-580" ];
    };
    testDriverOfTheToolkit = {
      expr = library.gpuFeatures { cuda.toolkit = "13.0"; driver.branch = "590"; };
      expected = [ "cuda" "nvidia-driver-580" "nvidia-driver-branch-590" ];
    };
    testStatedDriverCounts = {
      expr = library.gpuFeatures { cuda.toolkit = "13.0"; driver.minimum = "590.44"; };
      expected = [ "cuda" "nvidia-driver-590" ];
    };
    testUnknownToolkit = { expr = fails (library.gpuFeatures { cuda.toolkit = "3.1"; }); expected = true; };
  };
}
