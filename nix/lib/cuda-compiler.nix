# nvcc with its headers and a host compiler, for stages that compile kernels of their own.
{ sources, wheels }:
let
  names = [ "nvidia-cuda-cccl" "nvidia-cuda-crt" "nvidia-cuda-nvcc" "nvidia-cuda-runtime" "nvidia-nvvm" ];
in
/** One tree out of NVIDIA's wheels and Debian's g++, made to run where there is neither /bin/sh nor /lib64:
    `cuda/` is CUDA_HOME, `bin/` has gcc and g++.
    Type: cudaCompiler :: { base :: Base; entries :: [ AttrSet ]; system :: String; toolkit :: String } -> Derivation
    Example: (cudaCompiler { inherit base entries system; toolkit = "13.2"; }).name => "cuda-compiler-13.2" */
{ base, entries, system, toolkit }:
let
  seed = sources.named "seed" "busybox" entries;
  pinned = builtins.filter (item: builtins.elem item.entry.name names) (sources.ofKind "wheel" entries);
in
derivation {
  name = "cuda-compiler-${toolkit}";
  inherit system;
  builder = "${seed}/bin/sh";
  args = [ "${../builders/cuda-compiler.sh}" ];
  PATH = "${seed}/bin";
  shell = "${seed}/bin/sh";
  patchelf = sources.named "tool" "patchelf" entries;
  packages = map (item: item.path) (builtins.filter (item: item.entry.name != "tcc") (sources.ofKind "compiler" entries));
  wheels = builtins.concatMap (item: wheels { inherit base entries system; } item.entry) pinned;
  shellSource = "${../builders/system_shell.c}";
}
