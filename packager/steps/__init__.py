"""The contract's steps, one folder each; folders and modules with a leading underscore are not steps."""
