"""Intervals, calibration, targets and timing: statistics that know no task."""
