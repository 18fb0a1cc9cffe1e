# The archived model: `nix-build` of this file gives the same derivation as when it was archived. See README.md.
# `-A stages`: the derivations of its stages.
let project = (import ./reprobuild/nix).project { path = ./project; };
in project.model // { inherit (project) stages; }
