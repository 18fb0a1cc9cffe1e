# nvcc and its host compiler, from the lock to a stage. Nothing is built.
{ library, fails, standIns, ... }:
let
  inherit (standIns) entries entry pin system;
  base = library.bases.debian { inherit entries pin system; nixpkgs = null; };
  compiler = library.cudaCompiler {
    inherit base system;
    toolkit = "13.2";
    entries = entries ++ [
      (entry "compiler" "tcc" "0.9.27" "tcc_0.9.27_amd64.deb")
      (entry "compiler" "g++" "4:12.2" "g++_12.2_amd64.deb")
      (entry "wheel" "nvidia-cuda-nvcc" "13.2.86" "nvidia_cuda_nvcc-13.2.86-py3-none-any.whl")
      (entry "wheel" "nvidia-cublas" "13.4" "nvidia_cublas-13.4-py3-none-any.whl")
    ];
  };
  stage = compilers: (library.stages {
    project = standIns.project;
    spec = library.spec.complete standIns.spec;
    environment = base.drv;
    shims = [ ];
    inherit base entries system compilers;
  }).train.drv;
in
{
  cudaCompiler = {
    testName = { expr = compiler.name; expected = "cuda-compiler-13.2"; };
    # The shim's compiler is not among them, and neither are libraries.
    testPackages = { expr = map (one: one.name) compiler.packages; expected = [ "g___12.2_amd64.deb" ]; };
    testWheels = { expr = map (one: one.name) compiler.wheels; expected = [ "wheel-nvidia-cuda-nvcc-13.2.86" ]; };
    testNoSeedInTheLock = {
      expr = fails (library.cudaCompiler { inherit base system; toolkit = "13.2"; entries = [ ]; }).drvPath;
      expected = true;
    };
  };
  stages = {
    testCudaHome = { expr = (stage [ compiler ]).CUDA_HOME; expected = "${compiler}/cuda"; };
    testOtherStagesAreAsBefore = {
      expr = map (name: (stage [ ]) ? ${name}) [ "CUDA_HOME" "CC" "NVCC_CCBIN" ];
      expected = [ false false false ];
    };
  };
}
