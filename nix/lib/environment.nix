# The Python environment: a venv-like tree of links into wheel paths.
{ sources, wheels }:

/** Type: environment :: { base :: Base; entries :: [ AttrSet ]; system :: String } -> Derivation
    Example: (environment { inherit base entries system; }).name => "python-environment" */
{ base, entries, system }:
derivation {
  name = "python-environment";
  inherit system;
  builder = base.python;
  args = [ "-s" "-S" "${../builders/environment.py}" ];
  PATH = "${base.drv}/bin";
  PYTHONHASHSEED = "0";
  inherit (base) pythonVersion;
  basePython = base.python;
  wheels = builtins.concatMap (item: wheels { inherit base entries system; } item.entry) (sources.ofKind "wheel" entries);
  preferLocalBuild = true;
}
