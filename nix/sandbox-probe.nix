# A derivation that succeeds only where builds are NOT isolated: its builder is the host's shell, which a sandbox
# does not show, and which ends with 3 where a sandbox shows a shell of its own.
{ stamp }:
derivation {
  name = "reprobuild-sandbox-probe";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "${./builders/sandbox-probe.sh}" ];
  inherit stamp;
}
