"""Loaded by schemathesis (SCHEMATHESIS_HOOKS): the one format of this API that JSON Schema does not know."""

import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.format("iso-4217", st.sampled_from(["EUR", "USD", "BRL", "JPY"]))
