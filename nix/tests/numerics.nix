{ library, ... }:
let
  at = level: library.numerics { threads = 3; seed = 7; inherit level; };
  variables = at "exact";
in
{
  numerics = {
    testThreads = { expr = variables.OMP_NUM_THREADS; expected = "3"; };
    testSeed = { expr = variables.PYTHONHASHSEED; expected = "7"; };
    testTolerantSetsNoMore = { expr = at "tolerant"; expected = variables; };
    testPortableAddsTo = { expr = at "portable" // variables; expected = at "portable"; };
    testPortableHoldsKernelsToAvx2 = {
      expr = builtins.attrNames (builtins.removeAttrs (at "portable") (builtins.attrNames variables));
      expected = [ "ATEN_CPU_CAPABILITY" "MKL_CBWR" "NPY_DISABLE_CPU_FEATURES" "ONEDNN_MAX_CPU_ISA" "OPENBLAS_CORETYPE" ];
    };
    testAllAreText = { expr = builtins.all builtins.isString (builtins.attrValues variables); expected = true; };
  };
}
