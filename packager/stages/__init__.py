"""One module or package per stage; they do not import each other."""
