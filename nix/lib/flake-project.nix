# A project as flake outputs.
{ project }:
/** What a project's `flake.nix` returns: the model and everything on the way to it, as packages. The derivations are
    those that the command line builds.
    Type: mkProject :: { src :: Path | Flake; overrides ? AttrSet; nixpkgs ? AttrSet | Null } -> { packages :: AttrSet }
    Example: (mkProject { src = self; }).packages.x86_64-linux.default => «derivation …-digits-1.0.0.drv» */
{ src, overrides ? { }, nixpkgs ? null }:
let
  # A flake is its folder in the store.
  path = if builtins.isAttrs src then src.outPath else src;
  built = project { inherit path overrides nixpkgs; };
in
{
  packages.${built.spec.hardware.system} = built.stages // {
    inherit (built) model environment base;
    default = built.model;
  };
}
