"""The live view of stores over HTTP: read only, for this machine (docs/serve.md)."""
