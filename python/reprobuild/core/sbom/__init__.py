"""What is in a model, as bills of materials say it."""
