{ library, ... }:
let
  inherit (library.digests) sri;
  empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  same = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
in
{
  sri = {
    testHex = { expr = sri empty; expected = same; };
    testPrefix = { expr = sri "sha256:${empty}"; expected = same; };
    testSri = { expr = sri same; expected = same; };
  };
}
