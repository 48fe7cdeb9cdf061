"""Microsoft's KQL parser and binder as an independent check of queries.

It knows syntax, names, types and result columns; it does not run queries.
"""

from tests.kql_oracle.oracle import Diagnostic, KqlOracle, Verdict, node_is_missing

__all__ = ["Diagnostic", "KqlOracle", "Verdict", "node_is_missing"]
