# Datasets: one fixed-output path each, read where it lies, never copied.
{ sources }:
/** Paths of the datasets that a stage declares.
    Type: data :: [ AttrSet ] -> [ String ] -> { NAME :: Derivation }
    Example: data lock.sources [ "digits" ] => { digits = «derivation …-digits.csv.gz.drv»; } */
entries: wanted:
builtins.listToAttrs (map (name: { inherit name; value = sources.named "data" name entries; }) wanted)
