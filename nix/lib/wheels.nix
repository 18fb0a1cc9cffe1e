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
      => [ "torch-2.13.0_cpu" "torch-2.13.0_cpu-large-files" ] */
{ base, entries, system }: entry:
let
  part = name: part: derivation {
    name = "${names.storeName "${entry.name}-${entry.version}"}${name}";
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
if entry.size_bytes < splitWheelBytes then [ (part "" "whole") ]
else [ (part "" "small") (part "-large-files" "large") ]
