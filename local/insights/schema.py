"""The one schema table, from which the store's tables, the workspace views and the query schema are derived.

Names follow the published table references of Azure Monitor Logs. A column with no workspace name exists only in the
classic table; a column with no tag is filled from the envelope's data, not from its tags.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["string", "datetime", "real", "int", "bool", "dynamic"]

DUCKDB_TYPES: Final[dict[Kind, str]] = {
    "string": "VARCHAR",
    "datetime": "TIMESTAMP",
    "real": "DOUBLE",
    "int": "INTEGER",
    "bool": "BOOLEAN",
    "dynamic": "JSON",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its classic name, type, workspace name and the envelope tag it comes from."""

    name: str
    kind: Kind
    workspace: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One telemetry table under both of its names.

    Attributes:
        head: The columns of this table alone, in the order the envelope decoder produces them.
    """

    classic: str
    workspace: str
    base_type: str
    item_type: str
    head: tuple[Column, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """All classic columns, in order."""
        return self.head + COMMON


COMMON: Final = (
    Column("operation_Name", "string", "OperationName", "ai.operation.name"),
    Column("operation_Id", "string", "OperationId", "ai.operation.id"),
    Column("operation_ParentId", "string", "ParentId", "ai.operation.parentId"),
    Column("operation_SyntheticSource", "string", "SyntheticSource", "ai.operation.syntheticSource"),
    Column("session_Id", "string", "SessionId", "ai.session.id"),
    Column("user_Id", "string", "UserId", "ai.user.id"),
    Column("user_AuthenticatedId", "string", "UserAuthenticatedId", "ai.user.authUserId"),
    Column("user_AccountId", "string", "UserAccountId", "ai.user.accountId"),
    Column("application_Version", "string", "AppVersion", "ai.application.ver"),
    Column("client_Type", "string", "ClientType", "ai.device.type"),
    Column("client_Model", "string", "ClientModel", "ai.device.model"),
    Column("client_OS", "string", "ClientOS", "ai.device.osVersion"),
    Column("client_IP", "string", "ClientIP", "ai.location.ip"),
    Column("client_City", "string", "ClientCity", "ai.location.city"),
    Column("client_StateOrProvince", "string", "ClientStateOrProvince", "ai.location.province"),
    Column("client_CountryOrRegion", "string", "ClientCountryOrRegion", "ai.location.country"),
    Column("client_Browser", "string", "ClientBrowser", "ai.device.browser"),
    Column("cloud_RoleName", "string", "AppRoleName", "ai.cloud.role"),
    Column("cloud_RoleInstance", "string", "AppRoleInstance", "ai.cloud.roleInstance"),
    Column("sdkVersion", "string", "SDKVersion", "ai.internal.sdkVersion"),
    Column("appId", "string", "ResourceGUID"),
    Column("appName", "string", "_ResourceId"),
    Column("iKey", "string", "IKey"),
    Column("itemType", "string"),
    Column("itemCount", "int", "ItemCount"),
    Column("itemId", "string"),
)

WORKSPACE_ONLY: Final = (
    Column("ReferencedItemId", "string"),
    Column("ReferencedType", "string"),
    Column("SourceSystem", "string"),
    Column("TenantId", "string"),
    Column("_BilledSize", "real"),
    Column("_IsBillable", "string"),
    Column("_SubscriptionId", "string"),
)
"""Columns of the workspace tables that this service has no value for."""

_TIMESTAMP = Column("timestamp", "datetime", "TimeGenerated")
_BAG = Column("customDimensions", "dynamic", "Properties")
_BAGS = (_BAG, Column("customMeasurements", "dynamic", "Measurements"))
_ID, _NAME = Column("id", "string", "Id"), Column("name", "string", "Name")
_SUCCESS, _RESULT_CODE = Column("success", "bool", "Success"), Column("resultCode", "string", "ResultCode")
_DURATION = (Column("duration", "real", "DurationMs"), Column("performanceBucket", "string"))
_MESSAGE, _SEVERITY = Column("message", "string", "Message"), Column("severityLevel", "int", "SeverityLevel")


def _strings(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "string", name[0].upper() + name[1:]) for name in names)


TABLES: Final = (
    Table(
        "requests", "AppRequests", "RequestData", "request",
        (_TIMESTAMP, _ID, *_strings("source"), _NAME, *_strings("url"), _SUCCESS, _RESULT_CODE, *_DURATION, *_BAGS),
    ),
    Table(
        "dependencies", "AppDependencies", "RemoteDependencyData", "dependency",
        (
            _TIMESTAMP, _ID, *_strings("target"), Column("type", "string", "DependencyType"), _NAME, *_strings("data"),
            _SUCCESS, _RESULT_CODE, *_DURATION, *_BAGS,
        ),
    ),
    Table("traces", "AppTraces", "MessageData", "trace", (_TIMESTAMP, _MESSAGE, _SEVERITY, *_BAGS)),
    Table(
        "exceptions", "AppExceptions", "ExceptionData", "exception",
        (
            _TIMESTAMP, *_strings("problemId", "handledAt"), Column("type", "string", "ExceptionType"), _MESSAGE,
            *_strings("assembly", "method", "outerType", "outerMessage", "outerAssembly", "outerMethod"),
            *_strings("innermostType", "innermostMessage", "innermostAssembly", "innermostMethod"),
            _SEVERITY, Column("details", "dynamic", "Details"), *_BAGS,
        ),
    ),
    Table("customEvents", "AppEvents", "EventData", "customEvent", (_TIMESTAMP, _NAME, *_BAGS)),
    Table(
        "customMetrics", "AppMetrics", "MetricData", "customMetric",
        (
            _TIMESTAMP, _NAME, Column("value", "real"), Column("valueCount", "int", "ItemCount"),
            Column("valueSum", "real", "Sum"), Column("valueMin", "real", "Min"), Column("valueMax", "real", "Max"),
            Column("valueStdDev", "real"), _BAG,
        ),
    ),
    Table(
        "performanceCounters", "AppPerformanceCounters", "MetricData", "performanceCounter",
        (
            _TIMESTAMP, _NAME, *_strings("category", "counter", "instance"), Column("value", "real", "Value"), _BAG,
        ),
    ),
    Table(
        "availabilityResults", "AppAvailabilityResults", "AvailabilityData", "availabilityResult",
        (
            _TIMESTAMP, _ID, _NAME, *_strings("location"), _SUCCESS, _MESSAGE, Column("size", "real", "Size"),
            *_DURATION, *_BAGS,
        ),
    ),
)  # fmt: skip

BY_CLASSIC_NAME: Final = {table.classic: table for table in TABLES}


def workspace_columns(table: Table) -> list[tuple[str, Kind, str]]:
    """The workspace table's columns as (name, type, SQL over the classic table)."""
    own = {column.workspace for column in table.head}
    columns: list[tuple[str, Kind, str]] = [
        (column.workspace, column.kind, f'"{column.name}"')
        for column in table.columns
        if column.workspace is not None and not (column in COMMON and column.workspace in own)
    ]
    columns.append(("Type", "string", f"'{table.workspace}'"))
    for column in WORKSPACE_ONLY:
        empty = "''" if column.kind == "string" else f"CAST(NULL AS {DUCKDB_TYPES[column.kind]})"
        columns.append((column.name, column.kind, empty))
    return columns


CATALOG: Final = "insights"
"""The store's catalog name. Tables are always named with it, because a query's own views may hide the short name."""


def full_name(table: str) -> str:
    """The table or view as the store itself names it."""
    return f'"{CATALOG}"."main"."{table}"'


def ddl() -> list[str]:
    """SQL that creates what is missing: one table per telemetry type and the workspace views over them."""
    statements = []
    for table in TABLES:
        columns = ", ".join(f'"{column.name}" {DUCKDB_TYPES[column.kind]}' for column in table.columns)
        statements.append(f"CREATE TABLE IF NOT EXISTS {full_name(table.classic)} ({columns})")
        chosen = ", ".join(f'{sql} AS "{name}"' for name, _, sql in workspace_columns(table))
        source = full_name(table.classic)
        statements.append(f"CREATE OR REPLACE VIEW {full_name(table.workspace)} AS SELECT {chosen} FROM {source}")
    return statements


def query_schema() -> dict[str, dict[str, str]]:
    """Every table a query may name: table name -> column name -> KQL type."""
    schema: dict[str, dict[str, str]] = {}
    for table in TABLES:
        schema[table.classic] = {column.name: column.kind for column in table.columns}
        schema[table.workspace] = {name: kind for name, kind, _ in workspace_columns(table)}
    return schema
