# Part of a folder as a store path: equal files give an equal path, wherever the folder lies.
{ names }:
{
  /** Copy the wanted files of a folder to the store. Folders without a wanted file are left out, as version control
      leaves them out: what an old `__pycache__` keeps alive must not count.
      Type: select :: { root :: Path; name :: String; enters :: String -> Bool; wanted :: String -> Bool } -> String
      Example: select { root = ./.; name = "scripts"; enters = _: true; wanted = names.hasSuffix ".py"; }
        => "/nix/store/…-scripts" */
  select = { root, name, enters, wanted }:
    let
      # Not by prefix: out of a store in another folder (`--store`), Nix 2.8 hands over the file's real place.
      below = path:
        let relative = names.after "${toString root}/" path; in
        if relative == null then throw "reprobuild: ${path} is not below ${toString root}" else relative;
      keeps = relative: type: if type == "directory" then enters relative && holds relative else wanted relative;
      holds = relative:
        let entries = builtins.readDir (root + "/${relative}"); in
        builtins.any (entry: keeps "${relative}/${entry}" entries.${entry}) (builtins.attrNames entries);
    in
    "${builtins.path {
      path = root;
      inherit name;
      filter = path: type: keeps (below (toString path)) type;
    }}";
}
