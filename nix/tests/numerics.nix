{ library, ... }:
let variables = library.numerics { threads = 3; seed = 7; level = "exact"; }; in
{
  numerics = {
    testThreads = { expr = variables.OMP_NUM_THREADS; expected = "3"; };
    testSeed = { expr = variables.PYTHONHASHSEED; expected = "7"; };
    testAllAreText = { expr = builtins.all builtins.isString (builtins.attrValues variables); expected = true; };
  };
}
