# Nix values as JSON that loses nothing and is the same text in every release of Nix.
#
# `builtins.toJSON` writes floats with six digits (Nix 2.8), so 0.1234567 would arrive as 0.123457, and as another
# text in a later release. Floats are therefore written as two whole numbers: mantissa and exponent of two.
let
  # 2^n for a power of two n, by squaring.
  power = n: if n == 1 then 2.0 else let half = power (n / 2); in half * half;
  two52 = 4503599627370496.0;
  two53 = 2.0 * two52;

  # Largest step first, each tried once: sums of these reach every shift that a float can need. The first step stands
  # twice, because the way from the smallest float up to 2^52 is longer than 1023.
  steps = [ 512 512 256 128 64 32 16 8 4 2 1 ];

  # Scale into [2^52, 2^53): there every float is a whole number. Exact, since only the exponent changes. Nothing
  # needs an exponent below -1074, where floats end: smaller ones are whole there already.
  scaled = magnitude: builtins.foldl'
    (done: step:
      let
        down = done.value / power step;
        up = done.value * power step;
      in
      if down >= two52 then { value = down; exponent = done.exponent + step; }
      else if done.value < two52 && up < two53 && done.exponent - step >= -1074
      then { value = up; exponent = done.exponent - step; }
      else done)
    { value = magnitude; exponent = 0; }
    steps;

  # JSON allows two spellings for these two characters, and releases of Nix differ. Backslashes are matched in pairs, so
  # that a written-out `\\u0008` stays what it is.
  oneSpelling = builtins.replaceStrings [ "\\\\" "\\u0008" "\\u000c" ] [ "\\\\" "\\b" "\\f" ];
in
rec {
  /** A float as `{ __float__ = [ mantissa exponent ]; }`, so that mantissa * 2^exponent is that very float.
      Type: encodeFloat :: Float -> { __float__ :: [ Int ] }
      Example: encodeFloat 0.5 => { __float__ = [ 4503599627370496 (-53) ]; } */
  encodeFloat = f:
    let
      parts = scaled (if f < 0.0 then 0.0 - f else f);
      mantissa = builtins.floor parts.value;
      negativeZero = builtins.substring 0 1 (builtins.toJSON f) == "-";
    in
    if f != f || (f != 0.0 && f == f / 2.0) then throw "reprobuild: a number that is not finite cannot be handed on"
    # A whole number has no negative zero. This one is too small for a float, and is read as -0.0.
    else if f == 0.0 then { __float__ = if negativeZero then [ (-1) (-1100) ] else [ 0 0 ]; }
    else { __float__ = [ (if f < 0.0 then 0 - mantissa else mantissa) parts.exponent ]; };

  /** Every float inside a value in the form of encodeFloat. Keys that mean something to Nix or to the reader of this
      form are refused: they would be lost without a word.
      Type: encode :: Any -> Any
      Example: encode { lr = 0.5; } => { lr = { __float__ = [ 4503599627370496 (-53) ]; }; } */
  encode = value:
    let taken = builtins.filter (key: value ? ${key}) [ "outPath" "__toString" "__float__" ]; in
    if builtins.isFloat value then encodeFloat value
    else if builtins.isList value then map encode value
    else if !builtins.isAttrs value then value
    else if taken != [ ] then throw "reprobuild.toml: the key ${builtins.head taken} has a meaning of its own: rename it"
    else builtins.mapAttrs (_: encode) value;

  /** Canonical JSON: keys sorted, no spaces, floats exact.
      Type: toJSON :: Any -> String
      Example: toJSON { n = 1; } => "{\"n\":1}" */
  toJSON = value: oneSpelling (builtins.toJSON (encode value));
}
