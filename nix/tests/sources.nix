{ library, fails, standIns, ... }:
let
  inherit (library) data sources;
  inherit (standIns) entries sha256 system;
  wheel = standIns.entry "wheel" "a" "1" "a-1.whl";
in
{
  source = {
    testPathFollowsFromNameAndHash = {
      expr = (sources.source wheel).outPath == (sources.source (wheel // { kind = "tool"; name = "b"; })).outPath;
      expected = true;
    };
    testFolder = {
      expr = (sources.source wheel).outPath == (sources.source (wheel // { mode = "recursive"; })).outPath;
      expected = false;
    };
  };
  ofKind = {
    testOrder = { expr = map (item: item.entry.name) (sources.ofKind "wheel" entries); expected = [ "numpy" "torch" ]; };
    testNone = { expr = sources.ofKind "other" entries; expected = [ ]; };
  };
  named = {
    testFound = { expr = (sources.named "data" "digits" entries).name; expected = "donn_es.csv"; };
    testMissing = { expr = fails (sources.named "data" "other" entries); expected = true; };
    testTwice = { expr = fails (sources.named "seed" "busybox" (entries ++ entries)); expected = true; };
  };
  data = {
    testOnlyWhatIsWanted = { expr = builtins.attrNames (data entries [ "digits" ]); expected = [ "digits" ]; };
    testNone = { expr = data entries [ ]; expected = { }; };
    testNotInTheLock = { expr = fails (data entries [ "other" ]); expected = true; };
  };
}
