"""The calls of the wire contract, a module per noun."""
