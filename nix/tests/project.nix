# A whole project, from spec and lock to derivations. Nothing is built.
{ library, fails, standIns, ... }:
let
  inherit (library) mkProject project;
  inherit (standIns) entries system packageSet;
  path = standIns.project;
  plain = project { inherit path; };
  changed = overrides: project { inherit path overrides; };
  onGpu = changed { hardware.accelerator = "nvidia"; stages.train.gpu = true; };
  drvs = p: builtins.mapAttrs (_: drv: drv.drvPath) (p.stages // { inherit (p) model environment base; });
  # Names of the derivations that differ between two projects.
  differ = a: b: builtins.filter (name: (drvs a).${name} != (drvs b).${name}) (builtins.attrNames (drvs a));
  base = library.bases.debian { inherit entries system; inherit (standIns) pin; };
  wheel = name: library.wheels { inherit base entries system; }
    (builtins.head (builtins.filter (e: e.name == name) entries));
  env = library.environment { inherit base entries system; };
in
{
  project = {
    testModelName = { expr = plain.model.name; expected = "digits-1.0.0"; };
    testEvaluationDoesNotRetrain = {
      expr = differ plain (changed { stages.evaluate.params.n = 2; });
      expected = [ "evaluate" "model" ];
    };
    testTrainingParameter = {
      expr = differ plain (changed { stages.train.params.lr = 0.5; });
      expected = [ "evaluate" "model" "train" ];
    };
    testSixthDigitCounts = {
      expr = differ (changed { stages.train.params.lr = 0.1234567; }) (changed { stages.train.params.lr = 0.12345671; });
      expected = [ "evaluate" "model" "train" ];
    };
    testVersionDoesNotRetrain = { expr = differ plain (changed { model.version = "1.0.1"; }); expected = [ "model" ]; };
    testMirrorsDoNotCount = { expr = differ plain (changed { base.mirrors = [ "https://mirror" ]; }); expected = [ ]; };
    testPackageSetWithoutNeedIsNotLookedAt = {
      expr = drvs (project { inherit path; nixpkgs = throw "looked at"; });
      expected = drvs plain;
    };
  };
  stages = {
    testName = { expr = plain.stages.train.name; expected = "digits-train"; };
    testTimeZones = { expr = plain.stages.train.PYTHONTZPATH; expected = "${plain.base}/share/zoneinfo"; };
    testUnknownNeed = { expr = fails (drvs (changed { stages.train.needs = [ "no" ]; })); expected = true; };
    testFeatures = {
      expr = (changed { stages.train.features = [ "kvm" ]; }).stages.train.requiredSystemFeatures;
      expected = [ "kvm" ];
    };
    testDriverFolderOnAGpu = { expr = onGpu.stages.train.LD_LIBRARY_PATH; expected = "/run/opengl-driver/lib"; };
    testDriverFolderThereAlone = { expr = onGpu.stages.evaluate ? LD_LIBRARY_PATH || plain.stages.train ? LD_LIBRARY_PATH; expected = false; };
    testDriverFolderAfterThoseOfThePackageSet = {
      expr = (project {
        inherit path;
        overrides = { base.kind = "nixpkgs"; hardware.accelerator = "nvidia"; stages.train.gpu = true; };
        nixpkgs = packageSet;
      }).stages.train.LD_LIBRARY_PATH;
      expected = "${packageSet.stdenv.cc.cc.lib}/lib:${packageSet.zlib}/lib:/run/opengl-driver/lib";
    };
  };
  model = {
    testStagesAreInputs = {
      # Without context, which JSON may not have here.
      expr = (builtins.fromJSON (builtins.unsafeDiscardStringContext plain.model.reprobuildModel)).stages.train;
      expected = builtins.unsafeDiscardStringContext plain.stages.train.outPath;
    };
  };
  wheel = {
    testSmall = { expr = map (d: d.name) (wheel "numpy"); expected = [ "wheel-numpy-2.3.0" ]; };
    testLargeIsSplit = { expr = map (d: d.name) (wheel "torch"); expected = [ "big-wheel-torch-2.13.0_cpu" "big-wheel-torch-2.13.0_cpu-large-files" ]; };
  };
  environment = {
    testWheels = { expr = builtins.length env.wheels; expected = 3; };
    testWheelDecides = {
      expr = env.drvPath == (library.environment { inherit base system; entries = builtins.filter (e: e.name != "numpy") entries; }).drvPath;
      expected = false;
    };
  };
  mkProject = {
    testSameDerivations = { expr = (mkProject { src = path; }).packages.${system}.default.drvPath; expected = plain.model.drvPath; };
    testPackages = {
      expr = builtins.attrNames (mkProject { src = path; }).packages.${system};
      expected = [ "base" "default" "environment" "evaluate" "model" "train" ];
    };
    testOverrides = {
      expr = (mkProject { src = path; overrides.model.version = "2"; }).packages.${system}.default.name;
      expected = "digits-2";
    };
  };
}
