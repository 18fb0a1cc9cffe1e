# The NixOS module, with stand-ins for nixpkgs' lib and for the options of NixOS that it looks at. It has not been
# evaluated by NixOS itself here.
{ ... }:
let
  lib = {
    mkEnableOption = _: { default = false; };
    mkOption = option: option;
    mkIf = condition: value: if condition then value else { };
    types = { str = "str"; attrs = "attrs"; listOf = type: "list of ${type}"; };
  };
  pkgs = {
    python3 = "/nix/store/x-python3";
    writeScript = name: text: { inherit name text; outPath = "/nix/store/x-${name}"; };
  };
  module = import ../modules/gpu-builder.nix;
  evaluate = given: machine:
    let
      options = (module { inherit config lib pkgs; }).options.reprobuild.gpuBuilder;
      defaults = builtins.mapAttrs (_: option: option.default) (builtins.removeAttrs options [ "features" ]);
      config = machine // { reprobuild.gpuBuilder = defaults // given; };
    in
    (module { inherit config lib pkgs; }).config;
  on = { enable = true; features = [ "cuda" "cuda-sm-90" ]; };
  machine = { hardware.nvidia.enabled = true; hardware.graphics.enable = true; };
  complaints = config: map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions);
  first = message: builtins.head (builtins.split ";" message);
  complaint = given: host: map first (complaints (evaluate given host));
in
{
  gpuBuilder = {
    testOff = { expr = evaluate { } { }; expected = { }; };
    testHook = { expr = (evaluate on machine).nix.settings.pre-build-hook; expected = "/nix/store/x-reprobuild-gpu-hook"; };
    testFeaturesBesideThoseOfNix = { expr = (evaluate on machine).nix.settings.extra-system-features; expected = [ "cuda" "cuda-sm-90" ]; };
    testTrustsNobodyElse = { expr = (evaluate on machine).nix.settings.trusted-users; expected = { }; };
    testTrusts = {
      expr = (evaluate (on // { trustedUsers = [ "ada" ]; }) machine).nix.settings.trusted-users;
      expected = [ "root" "ada" ];
    };
    testNoSettingsNoFile = { expr = (evaluate on machine).environment.etc; expected = { }; };
    testSettings = {
      expr = (evaluate (on // { settings.without_derivation = "refuse"; }) machine).environment.etc."reprobuild/gpu-hook.json".text;
      expected = ''{"without_derivation":"refuse"}'';
    };
    testSane = { expr = complaint on machine; expected = [ ]; };
    testOldNames = {
      expr = complaint on { services.xserver.videoDrivers = [ "nvidia" ]; hardware.opengl.enable = true; };
      expected = [ ];
    };
    testDatacenter = { expr = complaint on { hardware.nvidia.datacenter.enable = true; }; expected = [ ]; };
    testNoDriver = {
      expr = complaint on { hardware.graphics.enable = true; };
      expected = [ "reprobuild.gpuBuilder: no NVIDIA driver" ];
    };
    testNoLibraries = {
      expr = complaint on { hardware.nvidia.enabled = true; };
      expected = [ "reprobuild.gpuBuilder: /run/opengl-driver/lib would be empty" ];
    };
    testNoCuda = {
      expr = complaint (on // { features = [ "kvm" ]; }) machine;
      expected = [ "reprobuild.gpuBuilder.features: without `cuda` no GPU stage is built here" ];
    };
  };
}
