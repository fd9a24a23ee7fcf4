"""What the two Keras formats share: the configuration of layers, and tracing of an opened model."""
