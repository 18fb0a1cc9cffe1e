/** A closure with the shape of a CUDA environment: wheels and Debian packages, small texts in place of their files.
    Type: closures :: { wheels :: [ String ], debs :: [ String ] } -> derivation
    What is compared is how many paths there are and how they refer to each other; neither tool reads them. */
{ wheels, debs }:
let
  made = name: uses: derivation {
    inherit name uses;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "echo $name $uses > $out" ];
  };
  base = made "digits-base" (map (name: made name [ ]) debs);
  environment = made "digits-environment" (map (name: made name [ base ]) wheels);
in
made "digits-1.0.0" [ environment ]
