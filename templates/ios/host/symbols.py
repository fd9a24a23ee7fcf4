"""Which platform symbols Swift sources use, found by the compiler, and whether each is on the list."""
