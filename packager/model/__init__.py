"""The frozen values that stages exchange; no logic."""
