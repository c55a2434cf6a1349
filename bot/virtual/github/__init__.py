"""The virtual GitHub: REST and git over HTTP on loopback, as GitHub speaks them. See `docs/virtual-github.md`."""
