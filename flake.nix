{
  description = "reprobuild: provably rebuildable machine-learning models";

  # For projects whose base is `nixpkgs`, and for nothing else: everything below evaluates and builds where this cannot
  # be fetched, because nobody looks at it.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs = { self, nixpkgs }:
    let library = import ./nix; in
    {
      lib = {
        inherit (library) mkProject project;
        # The pinned package set, for `mkProject { nixpkgs = …; }`.
        nixpkgsFor = system: nixpkgs.legacyPackages.${system};
      };

      # A NixOS machine that builds GPU stages.
      nixosModules.gpu-builder = import ./nix/modules/gpu-builder.nix;

      templates = rec {
        default = quickstart;
        quickstart = {
          path = ./templates/quickstart;
          description = "A small convolutional network in torch that reads handwritten digits";
        };
        pytorch-cuda = {
          path = ./templates/pytorch-cuda;
          description = "A convolutional network in torch that reads handwritten digits, trained on an NVIDIA GPU";
        };
        scikit-learn = {
          path = ./templates/scikit-learn;
          description = "A logistic regression in scikit-learn that tells malignant from benign tumours";
        };
      };
    };
}
