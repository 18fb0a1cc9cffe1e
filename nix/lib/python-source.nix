# Our own Python that runs inside the sandbox: what is selected here is an input of the derivations that use it.
{ names, selection }:
/** The Python files of some packages in a folder of packages, and nothing beside or between them: no change of the
    command line, no byte code and no file that an editor leaves reaches a model.
    Type: pythonSource :: { name :: String; packages :: [ String ] } -> Path -> String
    Example: pythonSource { name = "reprobuild-worker"; packages = [ "reprobuild_worker" ]; } ../python
      => "/nix/store/…-reprobuild-worker" */
{ name, packages }: folder:
let
  inside = relative: builtins.any (package: names.hasPrefix "${package}/" relative) packages;
in
selection.select {
  root = folder;
  inherit name;
  enters = relative: builtins.elem relative packages || inside relative;
  wanted = relative: inside relative && names.hasSuffix ".py" relative && !names.hasPrefix "." (baseNameOf relative);
}
