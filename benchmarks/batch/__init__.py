"""What the benchmarks of many images share."""
