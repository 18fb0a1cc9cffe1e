# Environment variables that decide the numbers: threads, seeds, kernels.
/** Type: numerics :: AttrSet -> { VARIABLE :: String }
    Example: (numerics { threads = 2; seed = 0; level = "exact"; }).OMP_NUM_THREADS => "2" */
numerics:
let threads = toString numerics.threads; in
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
}
