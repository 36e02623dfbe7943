"""Attribution from a dump: battery steps as the measurement, history states as activities."""
