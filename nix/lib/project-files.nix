# A project's own files, narrowed to what one stage declares.
{ names }:
let
  ignored = base: base == "__pycache__" || names.hasSuffix ".pyc" base || names.hasPrefix ".git" base;
in
/** The declared files and folders of a project as a store path: equal files, equal path, wherever the project lies.
    Type: projectFiles :: { project :: Path; name :: String; files :: [ String ] } -> String
    Example: projectFiles { project = ./.; name = "digits-train-source"; files = [ "train.py" "digits" ]; } */
{ project, name, files }:
let
  root = toString project;
  missing = builtins.filter (file: !builtins.pathExists (project + "/${file}")) files;
  wanted = relative: builtins.any
    (file: relative == file || names.hasPrefix (file + "/") relative || names.hasPrefix (relative + "/") file)
    files;
in
if missing != [ ] then throw "reprobuild.toml: file ${builtins.head missing} (needed for ${name}) does not exist"
else "${builtins.path {
  path = project;
  inherit name;
  filter = path: _:
    let relative = builtins.substring (builtins.stringLength root + 1) (builtins.stringLength path) path; in
    wanted relative && !ignored (baseNameOf path);
}}"
