# Stages: one derivation each. A stage sees its declared inputs, parameters and files, and nothing else.
{ exact, gpuFeatures, gpuStage, numerics, projectFiles, data, worker }:
let
  isFunction = run: builtins.match ".*:.*" run != null;
  # Limits reach a builder through its derivation only. Plans that merely warn (time_s, loader_s) stay out of it.
  limits = stage: builtins.intersectAttrs { cores = null; memory_mib = null; } (stage.resources or { });
  sourceFiles = stage: stage.files ++ (if isFunction stage.run then [ ] else [ stage.run ]);
in
/** All stages of a spec. `replaced` gives outputs of another run in place of some stages (a rebuild that differs).
    Type: stages :: { project; spec; entries; base; environment; shims; compilers ?; system; replaced ? { NAME :: StorePath } }
      -> { NAME :: { drv :: Derivation | StorePath; source :: String } }
    Example: (stages { … }).train.drv.name => "digits-train" */
{ project, spec, entries, base, environment, shims, compilers ? [ ], system, replaced ? { } }:
let
  # Nix tells by the processor whether it is one: on a machine without AVX2 it refuses, or asks another builder.
  stageSystem = if spec.numerics.level == "portable" then "x86_64-v3-linux" else system;
  preload = if shims == [ ] then { } else { LD_PRELOAD = builtins.concatStringsSep ":" (map (shim: "${shim}") shims); };
  # nvcc and its host compiler, where the spec asks for them.
  compiling = builtins.foldl' (_: tree: {
    PATH = "${environment}/bin:${tree}/bin:${tree}/cuda/bin";
    CUDA_HOME = "${tree}/cuda";
    CC = "${tree}/bin/gcc";
    CXX = "${tree}/bin/g++";
    NVCC_CCBIN = "${tree}/bin/g++";
  }) { } compilers;

  all = builtins.mapAttrs make spec.stages // builtins.mapAttrs
    (name: path: { drv = builtins.storePath path; inherit (make name spec.stages.${name}) source; })
    replaced;
  make = name: stage: rec {
    source = projectFiles {
      inherit project;
      name = "${spec.model.name}-${name}-source";
      files = sourceFiles stage;
    };
    drv = derivation (base.variables // {
      # Without the version: a new version of the model does not retrain.
      name = "${spec.model.name}-${name}";
      system = stageSystem;
      builder = "${environment}/bin/python";
      args = [ "-s" "-m" "reprobuild_worker" "stage" ];
      PATH = "${environment}/bin";
      PYTHONPATH = worker;
      PYTHONDONTWRITEBYTECODE = "1";
      requiredSystemFeatures = stage.features ++ (if stage.gpu then gpuFeatures spec else [ ]);
      reprobuildStage = exact.toJSON {
        schema = "reprobuild.stage/1";
        inherit name source;
        inherit (stage) run params outputs;
        inputs = builtins.listToAttrs
          (map (need: { name = need; value = "${(all.${need} or (throw "reprobuild.toml: stages.${name}.needs: there is no stage ${need}")).drv}"; })
            stage.needs);
        data = builtins.mapAttrs (_: path: "${path}") (data entries stage.data);
        inherit (spec) numerics;
        limits = limits stage;
      };
    } // preload // compiling // numerics spec.numerics // (if stage.gpu then gpuStage { inherit spec entries base; } else { }));
  };
in
all
