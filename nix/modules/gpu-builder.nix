# A NixOS machine that builds GPU stages: the hook, and the system features that it offers.
#
#   imports = [ reprobuild.nixosModules.gpu-builder ];
#   reprobuild.gpuBuilder = { enable = true; features = [ "cuda" "gpu-h100" "cuda-sm-90" "nvidia-driver-580" ]; };
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkEnableOption mkIf mkOption types;
  cfg = config.reprobuild.gpuBuilder;

  source = builtins.readFile ../hook/reprobuild-gpu-hook;
  # Its first line names a Python of other systems.
  hook = pkgs.writeScript "reprobuild-gpu-hook"
    (builtins.replaceStrings [ "#!/usr/bin/python3 " ] [ "#!${pkgs.python3}/bin/python3 " ] source);

  nvidia = config.hardware.nvidia or { };
  hasDriver = nvidia.enabled or false || nvidia.datacenter.enable or false
    || builtins.elem "nvidia" (config.services.xserver.videoDrivers or [ ]);
  # NixOS 24.11 gave hardware.opengl this name.
  hasLibraries = (config.hardware.graphics or config.hardware.opengl or { }).enable or false || nvidia.datacenter.enable or false;
in
{
  options.reprobuild.gpuBuilder = {
    enable = mkEnableOption "building GPU stages of reprobuild models on this machine";
    features = mkOption {
      type = types.listOf types.str;
      example = [ "cuda" "gpu-h100" "cuda-sm-90" "nvidia-driver-580" ];
      description = ''
        System features that this machine offers, beside those that it offers already: what
        `reprobuild builder probe` prints here. A new driver changes them.
      '';
    };
    trustedUsers = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Users who may copy unsigned store paths to this machine, as remote building does. They can become root.";
    };
    settings = mkOption {
      type = types.attrs;
      default = { };
      example = { without_derivation = "refuse"; };
      description = "Settings of the hook, in /etc/reprobuild/gpu-hook.json: see docs/decisions/gpu-hook.md.";
    };
  };

  config = mkIf cfg.enable {
    nix.settings = {
      pre-build-hook = "${hook}";
      extra-system-features = cfg.features;
      # A definition takes the place of a default, and root must stay trusted.
      trusted-users = mkIf (cfg.trustedUsers != [ ]) ([ "root" ] ++ cfg.trustedUsers);
    };
    environment.etc = mkIf (cfg.settings != { }) {
      "reprobuild/gpu-hook.json".text = builtins.toJSON cfg.settings;
    };
    assertions = [
      {
        assertion = builtins.elem "cuda" cfg.features;
        message = "reprobuild.gpuBuilder.features: without `cuda` no GPU stage is built here; run `reprobuild builder probe`";
      }
      {
        assertion = hasDriver;
        message = "reprobuild.gpuBuilder: no NVIDIA driver; set services.xserver.videoDrivers = [ \"nvidia\" ], or hardware.nvidia.datacenter.enable";
      }
      {
        assertion = hasLibraries;
        message = "reprobuild.gpuBuilder: /run/opengl-driver/lib would be empty; set hardware.graphics.enable = true (hardware.opengl.enable before NixOS 24.11)";
      }
    ];
  };
}
