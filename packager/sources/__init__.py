"""Source formats: one folder per format. The light part looks into a file, `open.py` opens it in a worker."""
