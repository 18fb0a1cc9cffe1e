# What things are called in the store.
rec {
  /** A file name as a store name: everything but letters, digits, `.`, `_`, `-` becomes `_`.
      The same rule as `store_name` in python/reprobuild/domain/store_path.py; a test compares the two.
      Type: storeName :: String -> String
      Example: storeName "torch-2.13.0+cpu.whl" => "torch-2.13.0_cpu.whl" */
  storeName = fileName:
    let
      pieces = builtins.split "[^A-Za-z0-9._-]" fileName;
      name = builtins.concatStringsSep "" (map (piece: if builtins.isList piece then "_" else piece) pieces);
    in
    if hasPrefix "." name then "_" + name else name;

  /** Type: hasPrefix :: String -> String -> Bool
      Example: hasPrefix "a/" "a/b" => true */
  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;

  /** Type: hasSuffix :: String -> String -> Bool
      Example: hasSuffix ".py" "train.py" => true */
  hasSuffix = suffix: text:
    let
      length = builtins.stringLength text;
      suffixLength = builtins.stringLength suffix;
    in
    length >= suffixLength && builtins.substring (length - suffixLength) suffixLength text == suffix;
}
