"""What the PyTorch formats share: a look into their files without torch, and a child process that has torch."""
