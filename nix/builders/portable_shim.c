/* MKL asks these whether it runs on a processor of Intel's, and takes other, slower kernels where the answer is no.
   With one answer everywhere, MKL_CBWR=AVX2 means the same kernels everywhere. docs/decisions/portable-shim.md */
int mkl_serv_intel_cpu_true(void) { return 1; }
int mkl_serv_intel_cpu(void) { return 1; }
