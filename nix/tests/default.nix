# All tests of the library: what fails, and which documented function no test names. Two empty lists are a pass:
#   nix-instantiate --eval --strict --json nix/tests
#
# A file gives function name -> test name -> { expr; expected; }.
let
  library = import ../.;
  inherit (library.names) hasSuffix;
  inherit (builtins) attrNames concatMap filter isList readDir readFile split;

  helpers = [ "ask.nix" "default.nix" "stand-ins.nix" ];
  testFiles = filter (file: hasSuffix ".nix" file && !builtins.elem file helpers) (attrNames (readDir ./.));
  suites = map
    (file: { inherit file; tests = import (./. + "/${file}") { inherit library fails; standIns = import ./stand-ins.nix; }; })
    testFiles;

  # Whether a value is an error, somewhere inside.
  fails = value: !(builtins.tryEval (builtins.deepSeq value null)).success;

  # Functions have no equality, and errors should name their test.
  outcome = test:
    let got = builtins.tryEval (builtins.deepSeq test.expr test.expr); in
    if got.success then got.value else "an error";

  failures = concatMap
    (suite: concatMap
      (function: concatMap
        (name:
          let
            test = suite.tests.${function}.${name};
            found = outcome test;
          in
          if found == test.expected then [ ]
          else [{ test = "${suite.file}: ${function}.${name}"; inherit found; inherit (test) expected; }])
        (attrNames suite.tests.${function}))
      (attrNames suite.tests))
    suites;

  sourceFiles = [ ../default.nix ]
    ++ map (file: ../lib + "/${file}") (filter (hasSuffix ".nix") (attrNames (readDir ../lib)));
  marked = word: file: concatMap (piece: if isList piece then piece else [ ])
    (split "${word}: ([A-Za-z0-9]+) " (readFile file));
  documented = concatMap (marked "Type") sourceFiles;
  tested = concatMap (suite: attrNames suite.tests) suites;

  # As many examples as types: each doc comment has both.
  count = word: file: builtins.length (filter isList (split "\n +${word}:|[*][*] ${word}:" (readFile file)));
in
{
  inherit failures;
  untested = filter (name: !builtins.elem name tested) documented;
  undocumented = map baseNameOf
    (filter (file: count "Type" file == 0 || count "Type" file != count "Example" file) sourceFiles);
  tests = builtins.length (concatMap (suite: concatMap (function: attrNames suite.tests.${function}) (attrNames suite.tests)) suites);
}
