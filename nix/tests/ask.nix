# Rules of the library for comparison with Python's: one JSON request in, JSON out.
{ request }:
let
  library = import ../.;
  asked = builtins.fromJSON request;
  numbers = builtins.fromTOML (asked.toml or "");
  completed = project: overrides: library.spec.read (/. + project) overrides;
in
{
  store_names = map library.names.storeName (asked.names or [ ]);
  source_paths = map (entry: (library.sources.source entry).outPath) (asked.sources or [ ]);
  exact = library.exact.toJSON numbers;
  from_json = library.exact.toJSON (asked.value or null);
  merged = map (pair: library.spec.merge pair.document pair.tree) (asked.merges or [ ]);
  specs = map (project: completed project (asked.overrides or { })) (asked.projects or [ ]);
  input_digests = map
    (project: library.lock.inputDigests (/. + project) (completed project (asked.overrides or { })))
    (asked.projects or [ ]);
  gpu_features = map (project: library.gpuFeatures (completed project { })) (asked.projects or [ ]);
  worker = builtins.unsafeDiscardStringContext library.worker;
}
