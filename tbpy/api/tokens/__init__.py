"""Tokens: what a request may do. Static ones are kept beside the workspace, JWTs are only checked."""

from tbpy.api.tokens.access import Access
from tbpy.api.tokens.jwt import read_jwt, sign_jwt
from tbpy.api.tokens.scopes import Scope, parse_scope
from tbpy.api.tokens.store import Token, TokenStore

__all__ = ["Access", "Scope", "Token", "TokenStore", "parse_scope", "read_jwt", "sign_jwt"]
