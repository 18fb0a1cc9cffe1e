{ library, fails, standIns, ... }:
let
  inherit (library.lock) fileDigest inputDigests read;
  spec = library.spec.complete standIns.spec;
  digests = inputDigests standIns.project;
  with_ = changes: digests (library.spec.complete (library.spec.merge standIns.spec changes));
in
{
  inputDigests = {
    testParts = { expr = builtins.attrNames (digests spec); expected = [ "base" "data" "python" ]; };
    testMirrorsAreAddresses = { expr = with_ { base.mirrors = [ "m" ]; }; expected = digests spec; };
    testStagesAreNotLocked = { expr = with_ { stages.train.params.lr = 1.0; }; expected = digests spec; };
    testRequirements = { expr = (with_ { python.requirements = [ "numpy" ]; }).python == (digests spec).python; expected = false; };
    testPortableNeedsACompiler = { expr = (with_ { numerics.level = "portable"; }).base == (digests spec).base; expected = false; };
    testTolerantDoesNot = { expr = with_ { numerics.level = "tolerant"; }; expected = digests spec; };
    testAcceleratorNeedsATool = {
      expr = (with_ { hardware.accelerator = "nvidia"; }).python == (digests spec).python;
      expected = false;
    };
    testAcceleratorKeepsTheBase = { expr = (with_ { hardware.accelerator = "nvidia"; }).base; expected = (digests spec).base; };
    testSuite = { expr = (with_ { base.suite = "trixie"; }).base == (digests spec).base; expected = false; };
  };
  fileDigest = {
    testFile = { expr = fileDigest standIns.project "train.py"; expected = builtins.hashFile "sha256" ./project/train.py; };
    testMissing = { expr = fails (fileDigest standIns.project "no.txt"); expected = true; };
  };
  read = {
    testMissing = { expr = fails (read ./. spec); expected = true; };
    testFresh = { expr = (read standIns.project spec).pin.python_version; expected = "3.11"; };
    testStale = { expr = fails (read standIns.project (spec // { datasets.d = { path = "x"; }; })); expected = true; };
    testOtherSystem = {
      expr = fails (read standIns.project (spec // { hardware = { system = "aarch64-linux"; }; }));
      expected = true;
    };
  };
}
