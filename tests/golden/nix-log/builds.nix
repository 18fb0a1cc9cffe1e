# The builds behind the logs in this folder; see README.md.
{ seed, tag ? "a" }:
let
  seedPath = builtins.storePath seed;
  busybox = "${seedPath}/bin/busybox";
  sh = name: deps: text: derivation {
    inherit name deps tag;
    system = "x86_64-linux";
    builder = "${seedPath}/bin/sh";
    args = [ "-c" "${busybox} mkdir -p $out; ${text}" ];
  };
  bare = args: derivation ({ inherit tag; system = "x86_64-linux"; builder = "${seedPath}/bin/sh"; } // args);

  base = sh "digits-base" [ ] "echo unpacking; ${busybox} sleep 0.3; echo done";
  wheel = name: sh "digits-wheel-${name}" [ base ] "echo installing ${name}; ${busybox} sleep 0.2";

  # everything a builder may print: Nix's protocol, ours, broken lines, escapes, bytes that are not UTF-8
  train = sh "digits-train" (map wheel [ "numpy" "torch" ]) ''
    echo '@nix {"action":"setPhase","phase":"train"}'
    echo '@nix {"action":"start","id":1,"level":3,"type":101,"text":"epochs","fields":[],"parent":0}'
    i=1
    while [ $i -le 6 ]; do
      echo "epoch $i"
      echo "error text on stderr" >&2
      echo '@nix {"action":"result","id":1,"type":105,"fields":['$i',6,1,0]}'
      echo '@reprobuild {"event":"metrics","stage":"train","epoch":'$i',"epochs":6,"values":{"loss":0.'$((9-i))'}}'
      ${busybox} sleep 0.3
      i=$((i+1))
    done
    echo '@nix {"action":"stop","id":1}'
    echo '@nix {"action":"start","id":2,"level":3,"type":105,"text":"fake build","fields":["x","",1,1],"parent":0}'
    echo '@nix {"action":"msg","level":0,"msg":"a builder msg"}'
    echo '@nix {broken'
    ${busybox} printf '\033[31mred\033[0m\rprogress 1\rprogress 2\n'
    ${busybox} printf 'invalid utf8: \377\376 end\n'
    ${busybox} printf 'no newline at end'
  '';
  evaluate = sh "digits-evaluate" [ train ] ''
    echo evaluating
    echo '@reprobuild {"event":"resources","stage":"evaluate","wall_s":1.5,"cpu_s":1.2,"peak_memory_bytes":1000}'
  '';
  failing = sh "digits-failing" [ base ]
    "echo about to fail; i=0; while [ $i -lt 15 ]; do echo line $i; i=$((i+1)); done; exit 3";
  after = sh "digits-after" [ failing ] "echo never";
  slow = sh "digits-slow" [ ] "echo sleeping; ${busybox} sleep 1000";

  hash = bare {
    name = "wrong-hash";
    args = [ "-c" "echo hello > $out" ];
    outputHashMode = "flat";
    outputHashAlgo = "sha256";
    outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };
  timeout = bare { name = "too-slow"; args = [ "-c" "echo start; ${busybox} sleep 60" ]; };
  feature = bare { name = "gpu"; args = [ "-c" "echo > $out" ]; requiredSystemFeatures = [ "cuda" ]; };
  system = bare { name = "avx2"; system = "x86_64-v3-linux"; args = [ "-c" "echo > $out" ]; };

  # a training that looks like one, for the picture in the README
  pictureWheels = map
    (name: sh "wheel-${name}" [ base ] "echo installing ${name}; ${busybox} sleep 0.2")
    [ "numpy" "torch" "sympy" "networkx" "jinja2" "fsspec" "filelock" "safetensors" ];
  prepare = sh "digits-prepare" pictureWheels "echo 1797 images; ${busybox} sleep 0.6";
  pictureTrain = sh "digits-train" [ prepare ] ''
    loss=23000
    i=1
    while [ $i -le 12 ]; do
      loss=$((loss * 62 / 100))
      shown=$(${busybox} printf '%d.%04d' $((loss / 10000)) $((loss % 10000)))
      echo '@reprobuild {"event":"metrics","stage":"train","epoch":'$i',"epochs":12,"values":{"loss":'$shown'}}'
      ${busybox} sleep 0.5
      i=$((i+1))
    done
  '';
  pictureEvaluate = sh "digits-evaluate" [ pictureTrain ] "echo accuracy 0.98";
  picture = sh "digits-model" [ pictureEvaluate ] "echo done";
in { inherit base train evaluate failing after slow hash timeout feature system picture; }
