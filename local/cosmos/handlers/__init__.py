"""One module per kind of resource: decode the request, call one operation, encode the reply."""
