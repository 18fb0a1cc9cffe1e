# The oldest driver that a stage on a GPU may meet. The same rule as `least_driver` in python/reprobuild/core/cuda_table.py.
let
  table = builtins.fromJSON (builtins.readFile ./cuda.json);
  toolkit = version: table.toolkits.${version} or (throw
    "reprobuild.toml: cuda.toolkit: ${version} is not known; known are ${builtins.concatStringsSep ", " (builtins.attrNames table.toolkits)}");
in
/** As [driver] says, else as the toolkit of [cuda] needs; `key` is where the spec says it.
    Type: leastDriver :: AttrSet -> { version :: String | Null; key :: String }
    Example: leastDriver { cuda.toolkit = "13.0"; } => { version = "580"; key = "cuda.toolkit"; } */
spec:
if (spec.driver.minimum or null) == null && spec ? cuda
then { version = (toolkit spec.cuda.toolkit).minimum_driver; key = "cuda.toolkit"; }
else { version = spec.driver.minimum or null; key = "driver.minimum"; }
