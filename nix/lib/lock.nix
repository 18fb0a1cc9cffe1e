# The lock: read, checked against the spec, and narrowed to one system.
{ exact }:
let
  only = names: set: builtins.listToAttrs (map (name: { inherit name; value = set.${name}; })
    (builtins.filter (name: set ? ${name}) names));

  # The lock's words for its parts, in the words of the spec.
  section = { base = "[base], [hardware], the level in [numerics] or nvcc in [cuda]"; data = "[datasets]"; python = "[python], [cuda] or [hardware]"; };
in
rec {
  /** Digests of the parts of a complete spec that a lock is made from.
      The same rule as `input_digests` in python/reprobuild/core/lock_inputs.py; a test compares the two.
      Type: inputDigests :: Path -> AttrSet -> { base :: String; data :: String; python :: String }
      Example: (inputDigests ./. spec).data => "44136fa3…" */
  inputDigests = project: spec: builtins.mapAttrs (_: part: builtins.hashString "sha256" (exact.toJSON part)) {
    base = {
      # Mirrors are addresses, and say nothing about content.
      base = builtins.removeAttrs spec.base [ "mirrors" ];
      inherit (spec.hardware) system;
    } // (
      # It needs a compiler, of the base's archive state.
      if spec.numerics.level == "portable" then { inherit (spec.numerics) level; } else { }
    ) // (
      # nvcc needs a host compiler.
      if spec.cuda.nvcc or false then { inherit (spec.cuda) nvcc; } else { }
    );
    data = builtins.mapAttrs (_: dataset: only [ "path" "url" "sha256" ] dataset) spec.datasets;
    python = {
      inherit (spec) python;
      inherit (spec.hardware) system;
    } // only [ "cuda" ] spec // (
      # No wheel may be built for processors alone, and stages on a GPU measure their machine with a pinned tool.
      if (spec.hardware.accelerator or "none") == "none" then { } else { inherit (spec.hardware) accelerator; }
    ) // (
      if !(spec.python ? requirements_file) then { }
      else { requirements_digest = fileDigest project spec.python.requirements_file; }
    );
  };

  /** SHA-256 of a file of the project, in hexadecimal.
      Type: fileDigest :: Path -> String -> String
      Example: fileDigest ./. "requirements.txt" => "e3b0c442…" */
  fileDigest = project: file:
    if builtins.pathExists (project + "/${file}") then builtins.hashFile "sha256" (project + "/${file}")
    else throw "reprobuild.toml: python.requirements_file: file ${file} does not exist";

  /** Read and check a project's lock.
      Type: read :: Path -> AttrSet -> { pin :: AttrSet; sources :: [ AttrSet ]; file :: String }
      Example: (read ./. spec).pin.python_version => "3.11" */
  read = project: spec:
    let
      path = project + "/reprobuild.lock";
      lock = if builtins.pathExists path then builtins.fromJSON (builtins.readFile path)
        else throw "reprobuild.lock is missing: run `reprobuild lock`";
      system = spec.hardware.system;
      digests = inputDigests project spec;
      stale = builtins.filter (part: (lock.inputs.${part} or "") != digests.${part}) (builtins.attrNames digests);
      pin = lock.systems.${system};
      pinnedKind = pin.kind or "debian";
    in
    if (lock.schema or "") != "reprobuild.lock/1"
    then throw "reprobuild.lock: expected schema reprobuild.lock/1, found ${lock.schema or "none"}"
    else if stale != [ ]
    then throw "reprobuild.lock is stale: ${section.${builtins.head stale}} of reprobuild.toml has changed since; run `reprobuild lock`"
    else if !(lock.systems ? ${system})
    then throw "reprobuild.lock has nothing for ${system}: run `reprobuild lock`"
    else if pinnedKind != spec.base.kind
    then throw "reprobuild.lock pins a ${pinnedKind} base, reprobuild.toml asks for ${spec.base.kind}: run `reprobuild lock`"
    else {
      inherit pin;
      sources = builtins.filter (source: (source.system or system) == system) lock.sources;
      # As a flat file: whether a checkout made it executable must not count.
      file = "${builtins.path { inherit path; name = "reprobuild.lock"; recursive = false; }}";
    };
}
