# Datasets: one fixed-output path each, read where it lies, never copied.
{ sources }:
/** Paths of the datasets that a stage declares.
    Type: data :: [ AttrSet ] -> [ String ] -> { NAME :: Derivation } */
entries: wanted:
builtins.listToAttrs (map (name: { inherit name; value = sources.named "data" name entries; }) wanted)
