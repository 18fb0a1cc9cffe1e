"""What differs between two models, in meaning, in what they are built from, and by which derivations."""
