"""Libraries that turn one model format into another; runtimes may import them, the core may not."""
