"""What `init` proposes for a model's tensors: one folder for each kind of data."""
