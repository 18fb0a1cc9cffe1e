# stand-in: a stage of the tests of the Nix library
