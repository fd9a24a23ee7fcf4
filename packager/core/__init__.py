"""What everything else stands on: errors, console, processes, hashing, cache, worker, naming."""
