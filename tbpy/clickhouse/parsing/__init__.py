"""The parts of the parser: each class adds one layer of the grammar to the one below it."""
