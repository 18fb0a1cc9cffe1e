# The worker's source: what runs inside the sandbox, and an input of every model.
{ names, selection }:
/** The Python files of the package `reprobuild_worker` in a folder of packages, and nothing beside or between them: no
    change of the command line, no byte code and no file that an editor leaves reaches a model.
    Type: workerSource :: Path -> String
    Example: workerSource ../python => "/nix/store/…-reprobuild-worker" */
folder:
let package = "reprobuild_worker"; in
selection.select {
  root = folder;
  name = "reprobuild-worker";
  enters = relative: relative == package || names.hasPrefix "${package}/" relative;
  wanted = relative: names.hasPrefix "${package}/" relative && names.hasSuffix ".py" relative
    && !names.hasPrefix "." (baseNameOf relative);
}
