# Small stand-ins for what a real project has: lock entries, a base, a package set. Evaluated, never built.
rec {
  system = "x86_64-linux";
  sha256 = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

  entry = kind: name: version: fileName: {
    inherit kind name version sha256;
    file_name = fileName;
    size_bytes = 1000;
  };

  # A whole small project; its lock names sources that are nowhere to be had.
  project = ./project;
  lock = builtins.fromJSON (builtins.readFile ./project/reprobuild.lock);
  entries = lock.sources;
  pin = lock.systems.${system};

  # What of a package set base-nixpkgs.nix looks at, under the names that nixpkgs has for it.
  packageSet =
    let
      package = name: derivation { inherit name system; builder = "/none"; outputs = [ "out" "lib" ]; };
    in
    {
      python311 = package "python3-3.11.9";
      zlib = package "zlib-1.3";
      tzdata = package "tzdata-2026a";
      stdenv.cc.cc = package "gcc-14";
    };

  spec = {
    schema = "reprobuild.spec/1";
    model = { name = "digits"; version = "1.0.0"; description = "x"; license = "MIT"; owners = [ "me" ]; };
    stages.train = { run = "train.py"; outputs = [ "weights.safetensors" ]; params.lr = 0.1; };
    stages.evaluate = { run = "evaluation:main"; files = [ "evaluation" ]; needs = [ "train" ]; outputs = [ "metrics.json" ]; };
  };
}
