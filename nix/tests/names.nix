{ library, ... }:
let inherit (library.names) after hasPrefix hasSuffix storeName; in
{
  storeName = {
    testPlus = { expr = storeName "torch-2.13.0+cpu.whl"; expected = "torch-2.13.0_cpu.whl"; };
    testEpoch = { expr = storeName "a_1%3a2~rc1.deb"; expected = "a_1_3a2_rc1.deb"; };
    testHidden = { expr = storeName ".rows.csv"; expected = "_.rows.csv"; };
    testOneUnderscoreACharacter = { expr = storeName "données-数据-😀.csv"; expected = "donn_es-__-_.csv"; };
  };
  hasPrefix = {
    testYes = { expr = hasPrefix "a/" "a/b"; expected = true; };
    testLonger = { expr = hasPrefix "a/b" "a"; expected = false; };
  };
  hasSuffix = {
    testYes = { expr = hasSuffix ".py" "train.py"; expected = true; };
    testLonger = { expr = hasSuffix "train.py" ".py"; expected = false; };
  };
  after = {
    testStart = { expr = after "/a/" "/a/b/a/c"; expected = "b/a/c"; };
    testInside = { expr = after "/nix/store/x/" "/tmp/s/nix/store/x/train.py"; expected = "train.py"; };
    testRegularExpressionSignsAreText = { expr = after "/a.b+(c)/" "/r/a.b+(c)/d"; expected = "d"; };
    testNowhere = { expr = after "/b/" "/a/c"; expected = null; };
    testShorter = { expr = after "/long/marker/" "/a"; expected = null; };
  };
}
