# Environment variables that decide the numbers: threads, seeds, kernels.
/** Type: numerics :: AttrSet -> { VARIABLE :: String }
    Example: (numerics { threads = 2; seed = 0; level = "exact"; }).OMP_NUM_THREADS => "2" */
numerics:
let
  threads = toString numerics.threads;
  # Numeric libraries choose kernels by the processor they find: these hold them to AVX2 (docs/reproducibility.md).
  portable = {
    ATEN_CPU_CAPABILITY = "avx2";
    MKL_CBWR = "AVX2";
    ONEDNN_MAX_CPU_ISA = "AVX2";
    OPENBLAS_CORETYPE = "Haswell";
    # numpy's names before 2.4 and since; of what it does not know it says so in a hidden ImportWarning.
    NPY_DISABLE_CPU_FEATURES = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4";
  };
in
{
  OMP_NUM_THREADS = threads;
  MKL_NUM_THREADS = threads;
  OPENBLAS_NUM_THREADS = threads;
  NUMEXPR_NUM_THREADS = threads;
  # A thread team that grows and shrinks sums in another order.
  OMP_DYNAMIC = "FALSE";
  MKL_DYNAMIC = "FALSE";
  PYTHONHASHSEED = toString numerics.seed;
  # Must stand before CUDA starts: cuBLAS is deterministic with a fixed workspace only.
  CUBLAS_WORKSPACE_CONFIG = ":4096:8";
  TZ = "UTC";
  LC_ALL = "C.UTF-8";
  SOURCE_DATE_EPOCH = "315532800";
} // (if numerics.level == "portable" then portable else { })
