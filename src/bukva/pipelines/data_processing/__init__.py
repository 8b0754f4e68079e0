"""From raw corpora to the sample table, its images and the data report."""
