"""One file per output format: pure functions from findings or deployments to text."""
