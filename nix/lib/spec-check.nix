# Nothing in a spec is ignored: a key that the format does not have, or that this release cannot honour, is an error.
#
# The command line checks far more (types, references, nearest keys) and does it first. These two checks are repeated
# here because `nix build` on a flake never meets the command line.
let
  known = builtins.fromJSON (builtins.readFile ./spec-keys.json);

  # Paths of the keys of `value` that `keys` does not know; "*" stands for any name, true for any value.
  unknown = keys: at: value:
    if keys == true || !builtins.isAttrs value then [ ]
    else builtins.concatMap
      (key:
        let inner = keys.${key} or keys."*" or null; in
        if inner == null then [ "${at}${key}" ] else unknown inner "${at}${key}." value.${key})
      (builtins.attrNames value);

  # The same list as `refuse_unsupported` in python/reprobuild/core/spec_checks.py; a test compares the two.
  unsupported = spec: builtins.filter (key: key != null) [
    (if spec ? cuda then "cuda" else null)
    (if spec ? driver then "driver" else null)
    (if spec ? resources then "resources" else null)
    (if (spec.hardware.accelerator or "none") != "none" then "hardware.accelerator" else null)
    (if spec.hardware ? gpu then "hardware.gpu" else null)
    (if spec.hardware ? compute_capability then "hardware.compute_capability" else null)
    (if (spec.hardware.system or "x86_64-linux") != "x86_64-linux" then "hardware.system" else null)
    (if (spec.numerics.level or "exact") != "exact" then "numerics.level" else null)
  ];
in
/** The document itself, or an error.
    Type: specCheck :: AttrSet -> AttrSet
    Example: specCheck { schema = "reprobuild.spec/1"; numeric = { }; } => error: reprobuild.toml: numeric: unknown key */
document:
let
  strange = unknown known "" document;
  refused = unsupported ({ hardware = { }; } // document);
in
if (document.schema or "") != "reprobuild.spec/1"
then throw "reprobuild.toml: expected schema reprobuild.spec/1, found ${document.schema or "none"}"
else if strange != [ ] then throw "reprobuild.toml: ${builtins.head strange}: unknown key; `reprobuild schema` has all keys"
else if refused != [ ]
then throw "reprobuild.toml: ${builtins.head refused}: part of the format, but this release cannot honour it yet"
else document
