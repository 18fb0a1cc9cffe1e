# Wheels: each one installed into a store path of its own, shared by every environment that has it.
{ names, sources }:
let
  # Files at and above this size go to a second derivation, so that two cores unpack and hash one big wheel.
  largeBytes = 67108864;
  # A wheel smaller than this (as downloaded) cannot be worth splitting.
  splitWheelBytes = 50331648;
in
/** The derivations of one wheel: one, or two for a big one; their trees are merged by the environment.
    Type: wheel :: { base :: Base; entries :: [ AttrSet ]; system :: String } -> AttrSet -> [ Derivation ]
    Example: map (d: d.name) (wheel { inherit base entries system; } torch)
      => [ "big-wheel-torch-2.13.0_cpu" "big-wheel-torch-2.13.0_cpu-large-files" ] */
{ base, entries, system }: entry:
let
  isBig = entry.size_bytes >= splitWheelBytes;
  # Nix starts builds in the order of their names: what takes longest comes first, so that no core waits at the end.
  kind = if isBig then "big-wheel" else "wheel";
  part = name: part: derivation {
    name = "${kind}-${names.storeName "${entry.name}-${entry.version}"}${name}";
    inherit system part;
    builder = base.python;
    args = [ "-s" "${../builders/wheel.py}" ];
    PATH = "${base.drv}/bin";
    # pypa's installer runs from its own wheel: a pure one can be imported as it is.
    PYTHONPATH = sources.named "tool" "installer" entries;
    PYTHONHASHSEED = "0";
    inherit (base) pythonVersion;
    wheel = sources.source entry;
    fileName = entry.file_name;
    compile = "${../builders/compile_bytecode.py}";
    largeBytes = toString largeBytes;
  };
in
if isBig then [ (part "" "small") (part "-large-files" "large") ]
else [ (part "" "whole") ]
