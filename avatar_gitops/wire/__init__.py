"""The Avatar HTTP contract: bodies, documents, routes. The only thing client and server share."""
