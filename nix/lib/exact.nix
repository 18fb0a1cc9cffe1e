# Nix values as JSON that loses nothing.
#
# `builtins.toJSON` writes floats with six digits (Nix 2.8), so 0.1234567 would arrive as 0.123457, and as another
# text in a later release. Floats are therefore written as two whole numbers: mantissa and exponent of two.
let
  two52 = 4503599627370496.0;

  # Scale |f| into [2^52, 2^53): there every float is a whole number. Exact, since only the exponent changes;
  # values below the normal range are whole sooner, which is as exact.
  scaled = f: exponent:
    if f >= 2.0 * two52 then scaled (f / 2.0) (exponent + 1)
    else if f < two52 && exponent > -1074 then scaled (f * 2.0) (exponent - 1)
    else { mantissa = builtins.floor f; inherit exponent; };
in
rec {
  /** A float as `{ __float__ = [ mantissa exponent ]; }`, so that mantissa * 2^exponent is that very float.
      Type: encodeFloat :: Float -> { __float__ :: [ Int ] }
      Example: encodeFloat 0.5 => { __float__ = [ 4503599627370496 (-53) ]; } */
  encodeFloat = f:
    let
      magnitude = if f < 0.0 then 0.0 - f else f;
      parts = scaled magnitude 0;
    in
    if f == 0.0 then { __float__ = [ 0 0 ]; }
    else { __float__ = [ (if f < 0.0 then 0 - parts.mantissa else parts.mantissa) parts.exponent ]; };

  /** Every float inside a value in the form of encodeFloat.
      Type: encode :: Any -> Any
      Example: encode { lr = 0.5; } => { lr = { __float__ = [ 4503599627370496 (-53) ]; }; } */
  encode = value:
    if builtins.isFloat value then encodeFloat value
    else if builtins.isList value then map encode value
    else if builtins.isAttrs value && !(value ? outPath) then builtins.mapAttrs (_: encode) value
    else value;

  /** Type: toJSON :: Any -> String
      Example: toJSON { n = 1; } => "{\"n\":1}" */
  toJSON = value: builtins.toJSON (encode value);
}
