{ library, fails, ... }:
let
  inherit (library.exact) encode encodeFloat toJSON;
  toml = text: (builtins.fromTOML "x = ${text}").x;
  parts = f: (encodeFloat f).__float__;
in
{
  encodeFloat = {
    testHalf = { expr = parts 0.5; expected = [ 4503599627370496 (-53) ]; };
    testTenth = { expr = parts 0.1; expected = [ 7205759403792794 (-56) ]; };
    testNegative = { expr = parts (-1.5); expected = [ (-6755399441055744) (-52) ]; };
    testZero = { expr = parts 0.0; expected = [ 0 0 ]; };
    testNegativeZeroIsReadAsSuch = { expr = parts (toml "-0.0"); expected = [ (-1) (-1100) ]; };
    testSmallest = { expr = parts (toml "5e-324"); expected = [ 1 (-1074) ]; };
    testSmallestNormal = { expr = parts (toml "2.2250738585072014e-308"); expected = [ 4503599627370496 (-1074) ]; };
    testLargest = { expr = parts (toml "1.7976931348623157e308"); expected = [ 9007199254740991 971 ]; };
    testTwo53 = { expr = parts 9007199254740992.0; expected = [ 4503599627370496 1 ]; };
    testInfinity = { expr = fails (encodeFloat (toml "inf")); expected = true; };
    testNotANumber = { expr = fails (encodeFloat (toml "nan")); expected = true; };
  };
  encode = {
    testDeep = { expr = encode { a = [ { b = 0.5; } ]; }; expected.a = [ { b.__float__ = [ 4503599627370496 (-53) ]; } ]; };
    testOthersStay = { expr = encode [ 1 "0.5" true null ]; expected = [ 1 "0.5" true null ]; };
    testKeyOutPathIsNotLost = { expr = fails (encode { params.outPath = "x"; }); expected = true; };
    testKeyOfOurForm = { expr = fails (encode { __float__ = [ 1 1 ]; }); expected = true; };
  };
  toJSON = {
    testSorted = { expr = toJSON { b = 1; a = "é"; }; expected = ''{"a":"é","b":1}''; };
    testOneSpellingOfControlCharacters = {
      expr = toJSON (builtins.fromJSON ''"\b\f\n\u001f"'');
      expected = ''"\b\f\n\u001f"'';
    };
    testWrittenOutEscapesStay = { expr = builtins.fromJSON (toJSON "\\u0008 \\\\u000c"); expected = "\\u0008 \\\\u000c"; };
  };
}
