"""The parts of the formatter: expressions, then queries around them."""
