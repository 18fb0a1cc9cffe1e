# The archived model: `nix-build` of this file gives the same derivation as when it was archived. See README.md.
((import ./reprobuild/nix).project { path = ./project; }).model
