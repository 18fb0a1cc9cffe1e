# A derivation whose output is the year that a builder of an archived project sees.
{ archive }:
let project = (import (/. + archive + "/reprobuild/nix")).project { path = /. + archive + "/project"; }; in
derivation {
  name = "year";
  system = project.spec.hardware.system;
  builder = "${project.environment}/bin/python";
  PATH = "${project.environment}/bin"; # an interpreter finds its library by its own place
  args = [ "-c" "import os, time; open(os.environ['out'], 'w').write(time.strftime('%Y'))" ];
}
