"""Aggregate functions and the combinators that compose them."""
