# Pinned sources as fixed-output derivations.
#
# The path depends on name, hash and mode only. Bytes come from `reprobuild fetch` or a binary cache, never from an
# address in a derivation: equal pins give equal derivations, whatever mirror anybody uses.
{ names }:
rec {
  /** The store path of one lock entry.
      Type: source :: AttrSet -> Derivation
      Example: source { kind = "data"; name = "digits"; file_name = "digits.csv.gz"; sha256 = "sha256-…"; }
        => «derivation …-digits.csv.gz.drv» */
  source = entry: derivation {
    name = names.storeName entry.file_name;
    system = "builtin";
    builder = "builtin:fetchurl";
    # Shown by Nix when the path is nowhere to be had.
    url = "run-reprobuild-fetch:${entry.kind}/${entry.name}";
    outputHash = entry.sha256;
    outputHashMode = entry.mode or "flat";
    preferLocalBuild = true;
  };

  /** All entries of one kind, in lock order.
      Type: ofKind :: String -> [ AttrSet ] -> [ { entry :: AttrSet; path :: Derivation } ]
      Example: map (item: item.entry.name) (ofKind "wheel" lock.sources) => [ "numpy" "torch" ] */
  ofKind = kind: entries: map (entry: { inherit entry; path = source entry; })
    (builtins.filter (entry: entry.kind == kind) entries);

  /** The one entry of a kind with this name.
      Type: named :: String -> String -> [ AttrSet ] -> Derivation
      Example: named "seed" "busybox" lock.sources => «derivation …-busybox-seed.drv» */
  named = kind: name: entries:
    let found = builtins.filter (entry: entry.kind == kind && entry.name == name) entries; in
    if builtins.length found != 1
    then throw "reprobuild.lock: expected one ${kind} ${name}, found ${toString (builtins.length found)}: run `reprobuild lock`"
    else source (builtins.head found);
}
