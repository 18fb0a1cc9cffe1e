{ library, fails, standIns, ... }:
let
  inherit (library) specCheck;
  inherit (library.spec) complete merge projectPath read;
  inherit (standIns) spec;
in
{
  merge = {
    testSectionsAreJoined = { expr = merge { a = { x = 1; y = 2; }; } { a.y = 3; }; expected.a = { x = 1; y = 3; }; };
    testListsAreReplaced = { expr = merge { a = [ 1 2 ]; } { a = [ 3 ]; }; expected.a = [ 3 ]; };
    testNewSection = { expr = merge { } { a.b = 1; }; expected.a.b = 1; };
    testValueBecomesSection = { expr = merge { a = 1; } { a.b = 1; }; expected.a.b = 1; };
  };
  projectPath = {
    testInside = { expr = projectPath "data/rows.csv"; expected = "data/rows.csv"; };
    testOtherSpelling = { expr = fails (projectPath "./data/rows.csv"); expected = true; };
    testUp = { expr = fails (projectPath "a/../b"); expected = true; };
    testAbsolute = { expr = fails (projectPath "/etc/passwd"); expected = true; };
  };
  complete = {
    testDefault = { expr = (complete spec).numerics.seed; expected = 0; };
    testOwnValue = { expr = (complete (spec // { numerics.seed = 7; })).numerics.seed; expected = 7; };
    testEveryStage = { expr = (complete spec).stages.train.needs; expected = [ ]; };
    testPathOutOfTheProject = { expr = fails (complete (spec // { datasets.d = { path = "../d.csv"; }; })); expected = true; };
    testNoModel = { expr = fails (complete (removeAttrs spec [ "model" ])); expected = true; };
  };
  read = {
    testFile = { expr = (read standIns.project { }).model.name; expected = "digits"; };
    testOverride = { expr = (read standIns.project { stages.train.params.lr = 0.5; }).stages.train.params.lr; expected = 0.5; };
    testOverrideOfNoKey = { expr = fails (read standIns.project { stages.train.parms.lr = 0.5; }); expected = true; };
  };
  specCheck = {
    testGood = { expr = specCheck spec == spec; expected = true; };
    testOtherVersion = { expr = fails (specCheck (spec // { schema = "reprobuild.spec/2"; })); expected = true; };
    testUnknownSection = { expr = fails (specCheck (spec // { numeric.seed = 1; })); expected = true; };
    testUnknownKeyInStage = { expr = fails (specCheck (merge spec { stages.train.need = [ ]; })); expected = true; };
    testParametersAreFree = { expr = fails (specCheck (merge spec { stages.train.params.any.thing = 1; })); expected = false; };
    testStageThatAFlakeWouldHide = { expr = fails (specCheck (merge spec { stages.default = spec.stages.train; })); expected = true; };
    testLoginInRequirement = { expr = fails (specCheck (spec // { python.requirements = [ "numpy" "x @ https://u:p@h/x.zip" ]; })); expected = true; };
    testDigestInRequirement = { expr = fails (specCheck (spec // { python.requirements = [ "x @ https://h/a@b#sha256=0 ; a" ]; })); expected = false; };
    testTokenInDataAddress = { expr = fails (specCheck (merge spec { datasets.d.url = "https://h/x?token=t"; })); expected = true; };
    testPlainDataAddress = { expr = fails (specCheck (merge spec { datasets.d.url = "https://h/a@b/x"; })); expected = false; };
    testNixpkgs = { expr = fails (specCheck (spec // { base.kind = "nixpkgs"; })); expected = false; };
    testNixpkgsWithSuite = { expr = fails (specCheck (spec // { base = { kind = "nixpkgs"; suite = "trixie"; }; })); expected = true; };
    testGpuWithoutHandshake = { expr = fails (specCheck (spec // { stages.train = spec.stages.train // { features = [ "gpu-h100" ]; }; })); expected = true; };
    testUnsupportedSystem = { expr = fails (specCheck (spec // { hardware.system = "aarch64-linux"; })); expected = true; };
    testLevels = { expr = map (level: fails (specCheck (spec // { numerics.level = level; }))) [ "exact" "portable" "tolerant" ]; expected = [ false false false ]; };
  };
}
