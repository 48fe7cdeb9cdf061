"""What HTTP routes take, give and do: who asks, requests and answers as models, the use cases of a chat."""
