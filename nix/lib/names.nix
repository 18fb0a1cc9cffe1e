# What things are called in the store, and small questions about texts.
let
  hexDigits = [ "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "a" "b" "c" "d" "e" "f" ];

  # U+0080 to U+00BF as UTF-8 are C2 80 to C2 BF: their second bytes are all bytes that continue a character.
  continuationBytes = builtins.concatMap
    (high: map (low: builtins.substring 1 1 (builtins.fromJSON "\"\\u00${high}${low}\"")) hexDigits)
    [ "8" "9" "a" "b" ];
in
rec {
  /** A file name as a store name: every character but letters, digits, `.`, `_`, `-` becomes one `_`.
      The same rule as `store_name` in python/reprobuild/domain/store_path.py; a test compares the two.
      Type: storeName :: String -> String
      Example: storeName "torch-2.13.0+cpu.whl" => "torch-2.13.0_cpu.whl" */
  storeName = fileName:
    let
      # Nix sees bytes, the rule speaks of characters: keep the first byte of each.
      narrow = builtins.replaceStrings continuationBytes (map (_: "") continuationBytes) fileName;
      pieces = builtins.split "[^A-Za-z0-9._-]" narrow;
      name = builtins.concatStringsSep "" (map (piece: if builtins.isList piece then "_" else piece) pieces);
    in
    if hasPrefix "." name then "_" + name else name;

  /** Whether a text begins with another.
      Type: hasPrefix :: String -> String -> Bool
      Example: hasPrefix "a/" "a/b" => true */
  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;

  /** Whether a text ends with another.
      Type: hasSuffix :: String -> String -> Bool
      Example: hasSuffix ".py" "train.py" => true */
  hasSuffix = suffix: text:
    let
      length = builtins.stringLength text;
      suffixLength = builtins.stringLength suffix;
    in
    length >= suffixLength && builtins.substring (length - suffixLength) suffixLength text == suffix;

  /** What follows the first occurrence of a marker in a text; null where it does not occur.
      Type: after :: String -> String -> String | Null
      Example: after "/src/" "/home/me/src/a/src/b" => "a/src/b" */
  after = marker: text:
    let
      size = builtins.stringLength marker;
      last = builtins.stringLength text - size;
      found = builtins.filter (at: builtins.substring at size text == marker) (builtins.genList (at: at) (last + 1));
    in
    if hasPrefix marker text then builtins.substring size (builtins.stringLength text) text
    else if last < 0 || found == [ ] then null
    else builtins.substring (builtins.head found + size) (builtins.stringLength text) text;
}
