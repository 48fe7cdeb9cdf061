"""Azure's quota arithmetic as pure values: time comes in as an argument, nothing here waits or measures."""
