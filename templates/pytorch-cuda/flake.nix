# For `nix build`; the `reprobuild` command does without it. Both build the same store path.
{
  description = "Handwritten digits with torch on a GPU, built by reprobuild";

  # A name of your registry: `nix registry add reprobuild PATH-OR-URL`.
  inputs.reprobuild.url = "flake:reprobuild";

  outputs = { self, reprobuild }: reprobuild.lib.mkProject { src = self; };
}
