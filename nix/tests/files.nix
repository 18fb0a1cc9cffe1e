{ library, fails, standIns, ... }:
let
  inherit (library) names projectFiles pythonSource;
  inherit (library.selection) select;
  inherit (standIns) project;
  name = "part";
  all = select { root = project; inherit name; enters = _: true; wanted = _: true; };
in
{
  select = {
    testName = { expr = names.hasSuffix "-part" all; expected = true; };
    testFoldersWithoutWantedFilesDoNotCount = {
      expr = select { root = project; inherit name; enters = _: true; wanted = file: file == "train.py"; };
      expected = select { root = project; inherit name; enters = _: false; wanted = file: file == "train.py"; };
    };
  };
  projectFiles = {
    testOneFile = {
      expr = projectFiles { inherit project name; files = [ "train.py" ]; };
      expected = select { root = project; inherit name; enters = _: false; wanted = file: file == "train.py"; };
    };
    testOrderDoesNotCount = {
      expr = projectFiles { inherit project name; files = [ "train.py" "evaluation" ]; };
      expected = projectFiles { inherit project name; files = [ "evaluation" "train.py" ]; };
    };
    testFileInFolder = {
      expr = projectFiles { inherit project name; files = [ "evaluation/__init__.py" ]; };
      expected = projectFiles { inherit project name; files = [ "evaluation" ]; };
    };
    testNamesAreWhole = {
      expr = projectFiles { inherit project name; files = [ "train.py" ]; } == all;
      expected = false;
    };
    testMissing = { expr = fails (projectFiles { inherit project name; files = [ "no.py" ]; }); expected = true; };
  };
  pythonSource =
    let source = packages: pythonSource { name = "some"; inherit packages; } ../../python; in
    {
      testName = { expr = names.hasSuffix "-some" (source [ "reprobuild_worker" ]); expected = true; };
      testOnlyWhatIsNamed = {
        expr = source [ "reprobuild_probe" ] == source [ "reprobuild_probe" "reprobuild_handshake" ];
        expected = false;
      };
    };
}
