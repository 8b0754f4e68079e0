"""What the load benchmarks share: a generator of requests, servers to ask, a table to print."""
