# A project's own files, narrowed to what one stage declares.
{ names, selection }:
let
  ignored = base: base == "__pycache__" || names.hasSuffix ".pyc" base || names.hasPrefix ".git" base;
in
/** The declared files and folders of a project as a store path.
    Type: projectFiles :: { project :: Path; name :: String; files :: [ String ] } -> String
    Example: projectFiles { project = ./.; name = "digits-train-source"; files = [ "train.py" "digits" ]; }
      => "/nix/store/…-digits-train-source" */
{ project, name, files }:
let
  missing = builtins.filter (file: !builtins.pathExists (project + "/${file}")) files;
  declared = relative:
    builtins.any (file: relative == file || names.hasPrefix "${file}/" relative) files;
  leadsTo = relative: builtins.any (names.hasPrefix "${relative}/") files;
  visible = relative: !ignored (baseNameOf relative);
in
if missing != [ ] then throw "reprobuild.toml: file ${builtins.head missing} (needed for ${name}) does not exist"
else selection.select {
  root = project;
  inherit name;
  enters = relative: visible relative && (declared relative || leadsTo relative);
  wanted = relative: visible relative && declared relative;
}
