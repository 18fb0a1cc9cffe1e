# Nothing in a spec is ignored: a key that the format does not have, or that this release cannot honour, is an error.
#
# The command line checks far more (types, references, nearest keys) and does it first. These few checks are repeated
# here because `nix build` on a flake never meets the command line.
let
  known = builtins.fromJSON (builtins.readFile ./spec-keys.json);

  # Paths of the keys of `value` that `keys` does not know; "*" stands for any name, true for any value.
  unknown = keys: at: value:
    if keys == true || !builtins.isAttrs value then [ ]
    else builtins.concatMap
      (key:
        let inner = keys.${key} or keys."*" or null; in
        if inner == null then [ "${at}${key}" ] else unknown inner "${at}${key}." value.${key})
      (builtins.attrNames value);

  # The same list as `refuse_unsupported` in python/reprobuild/core/spec_checks.py; a test compares the two. Only
  # `base.kind` is not in this one: a flake can bring a package set, the command line cannot.
  unsupported = spec: builtins.filter (key: key != null) [
    (if (spec.hardware.system or "x86_64-linux") != "x86_64-linux" then "hardware.system" else null)
  ];

  # Stages that a flake's own packages (flake-project.nix) would hide; RESERVED_STAGE_NAMES in Python's spec_checks.py.
  taken = spec: builtins.filter (name: spec.stages ? ${name}) [ "base" "default" "environment" "model" ];

  # Features that show a stage the GPU, without the handshake that measures it; `is_hardware` in Python's gpu_features.py.
  isHardware = feature: feature == "cuda" || builtins.match "(cuda-sm-|gpu-|nvidia-driver-).*" feature != null;
  unmeasured = spec: builtins.filter
    (name: !(spec.stages.${name}.gpu or false) && builtins.any isHardware (spec.stages.${name}.features or [ ]))
    (builtins.attrNames spec.stages);

  # Keys that say something about Debian, where there is none.
  idle = spec: if (spec.base.kind or "debian") == "debian" then [ ] else builtins.attrNames (builtins.removeAttrs spec.base [ "kind" ]);

  # Keys whose address holds what may be a secret: the spec becomes part of every artifact, and derivations can be read
  # by anybody. The same rules as in python/reprobuild/domain/spec_types.py; a test compares the two.
  login = text: builtins.match ".*://[^/?#[:space:]]*@.*" text != null;
  query = marks: text: builtins.match ".*://[^[:space:]]*[${marks}].*" text != null;
  secretIn = refused: key: value: if builtins.isString value && refused value then [ key ] else [ ];
  secrets = spec:
    builtins.concatMap (secretIn (text: login text || query "?" text) "python.requirements") (spec.python.requirements or [ ])
    ++ builtins.concatMap (secretIn (text: login text || query "?#" text) "base.mirrors") (spec.base.mirrors or [ ])
    ++ builtins.concatMap
      (name: let dataset = spec.datasets.${name}; in
        secretIn (text: login text || query "?#" text) "datasets.${name}.url" (dataset.url or null)
        ++ secretIn login "datasets.${name}.source" (dataset.source or null))
      (builtins.attrNames (spec.datasets or { }));
in
/** The document itself, or an error.
    Type: specCheck :: AttrSet -> AttrSet
    Example: specCheck { schema = "reprobuild.spec/1"; numeric = { }; } => error: reprobuild.toml: numeric: unknown key */
document:
let
  strange = unknown known "" document;
  hidden = taken ({ stages = { }; } // document);
  secret = secrets document;
  unseen = unmeasured ({ stages = { }; } // document);
  ignored = idle document;
  refused = unsupported ({ hardware = { }; } // document);
in
if (document.schema or "") != "reprobuild.spec/1"
then throw "reprobuild.toml: expected schema reprobuild.spec/1, found ${document.schema or "none"}"
else if strange != [ ] then throw "reprobuild.toml: ${builtins.head strange}: unknown key; `reprobuild schema` has all keys"
else if hidden != [ ]
then throw "reprobuild.toml: stages.${builtins.head hidden}: this name is taken"
else if secret != [ ]
then throw "reprobuild.toml: ${builtins.head secret}: an address with a login or query in it: put user and password into ~/.netrc"
else if unseen != [ ]
then throw "reprobuild.toml: stages.${builtins.head unseen}.features: they speak of a GPU: write gpu = true"
else if ignored != [ ]
then throw "reprobuild.toml: base.${builtins.head ignored}: a ${document.base.kind} base has no Debian packages: leave it out"
else if refused != [ ]
then throw "reprobuild.toml: ${builtins.head refused}: part of the format, but this release cannot honour it yet"
else document
