"""What clients reach at an address: queues to send to and receive from, $management, and $cbs for tokens."""
