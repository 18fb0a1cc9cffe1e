# SHA-256 digests in one spelling.
let
  hex = { "0" = 0; "1" = 1; "2" = 2; "3" = 3; "4" = 4; "5" = 5; "6" = 6; "7" = 7; "8" = 8; "9" = 9;
    a = 10; b = 11; c = 12; d = 13; e = 14; f = 15; };
  base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  letter = value: builtins.substring value 1 base64;

  # Three hexadecimal digits are 12 bits, two letters.
  letters = text: at:
    let
      digit = n: hex.${builtins.substring (at + n) 1 text};
      bits = digit 0 * 256 + digit 1 * 16 + digit 2;
    in
    letter (bits / 64) + letter (bits - bits / 64 * 64);
in
{
  /** A digest as SRI, from SRI, `sha256:HEX` or bare hex: the spellings that a spec may have.
      Newer releases of Nix have `builtins.convertHash`; 2.8 has not.
      Type: sri :: String -> String
      Example: sri "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        => "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" */
  sri = text:
    let
      found = builtins.match "(sha256:)?([0-9a-f]{64})" text;
      # 64 digits and two zeros: 22 groups of three, of which the last letter stands for padding only.
      padded = builtins.elemAt found 1 + "00";
      whole = builtins.concatStringsSep "" (builtins.genList (n: letters padded (3 * n)) 22);
    in
    if found == null then text else "sha256-${builtins.substring 0 43 whole}=";
}
