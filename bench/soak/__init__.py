"""Endurance: hours of mixed traffic on local Azure while processes die, stall, run out of disk and lose their clock."""
