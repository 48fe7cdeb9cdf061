"""What would be saved: from the timelines of many turns to a ranked list of changes. Pure: no I/O, no clock."""
