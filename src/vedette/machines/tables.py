"""Tables of machines, what was seen on them, and what was asked of them. Times are ticks; words are the API's own."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from vedette.store.metadata import METADATA
from vedette.store.tenancy import GUID, tenant_key

MACHINES = Table(
    "machines",
    METADATA,
    tenant_key(),
    Column("machine_id", String(100), primary_key=True),
    Column("dns_name", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("os_platform", String(64)),
    Column("os_architecture", String(16)),
    Column("os_version", String(64)),
    Column("os_build", BigInteger),
    Column("agent_version", String(64)),
    Column("last_ip_address", String(64)),
    Column("last_ip_seen", BigInteger, nullable=False),
    Column("last_external_ip_address", String(64)),
    Column("onboarding_status", String(32), nullable=False),
    Column("rbac_group_id", BigInteger, nullable=False),
    Column("rbac_group_name", Text),
    Column("reported_group", Text, comment="the group that the newest inventory record names"),
    Column("exposure_level", String(16), nullable=False),
    Column("device_value", String(16), nullable=False),
    Column("aad_device_id", GUID),
    Column("is_aad_joined", Boolean),
    Column("described", BigInteger, nullable=False, comment="time of the newest inventory record that was read"),
    Column("revision", BigInteger, nullable=False, comment="counts changes worth an inventory row"),
    Column("written_revision", BigInteger, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Index("ix_machines_tenant_id_last_seen", "tenant_id", "last_seen", "machine_id"),
    Index("ix_machines_tenant_id_dns_name", "tenant_id", "dns_name"),
)

MACHINE_TAGS = Table(
    "machine_tags",
    METADATA,
    tenant_key(),
    Column("machine_id", String(100), primary_key=True),
    Column("tag", String(200), primary_key=True),
    ForeignKeyConstraint(["tenant_id", "machine_id"], ["machines.tenant_id", "machines.machine_id"]),
    Index("ix_machine_tags_tenant_id_tag", "tenant_id", "tag"),
)

MACHINE_ADDRESSES = Table(
    "machine_addresses",
    METADATA,
    tenant_key(),
    Column("machine_id", String(100), primary_key=True),
    Column("ip_address", String(64), primary_key=True),
    Column("mac_address", String(32)),
    Column("operational_status", String(32)),
    Column("adapter_type", String(64)),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    ForeignKeyConstraint(["tenant_id", "machine_id"], ["machines.tenant_id", "machines.machine_id"]),
    Index("ix_machine_addresses_tenant_id_ip_address", "tenant_id", "ip_address"),
)

MACHINE_USERS = Table(
    "machine_users",
    METADATA,
    tenant_key(),
    Column("machine_id", String(100), primary_key=True),
    Column("account_id", String(400), primary_key=True, comment="domain\\name in lower case"),
    Column("account_name", Text, nullable=False),
    Column("account_domain", Text, nullable=False),
    Column("account_sid", String(200)),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("logon_types", JSON, nullable=False),
    Column("is_local_admin", Boolean, nullable=False),
    ForeignKeyConstraint(["tenant_id", "machine_id"], ["machines.tenant_id", "machines.machine_id"]),
    Index("ix_machine_users_tenant_id_account_id", "tenant_id", "account_id"),
)

ACCOUNTS = Table(
    "device_accounts",
    METADATA,
    tenant_key(),
    Column("account_id", String(400), primary_key=True, comment="domain\\name in lower case"),
    Column("account_name", Text, nullable=False),
    Column("account_domain", Text, nullable=False),
    Column("account_sid", String(200)),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("is_written", Boolean, nullable=False),
)

MACHINE_GROUPS = Table(
    "machine_groups",
    METADATA,
    tenant_key(),
    Column("name", String(200), primary_key=True),
    Column("group_id", BigInteger, nullable=False),
    Column("rank", BigInteger, nullable=False, server_default="1"),
    Column("description", Text, nullable=False, server_default=""),
    Column("remediation_level", String(64), nullable=False, server_default=""),
    Column("conditions", JSON, nullable=False, server_default="[]"),
)

MACHINE_ACTIONS = Table(
    "machine_actions",
    METADATA,
    tenant_key(),
    Column("action_id", GUID, primary_key=True),
    Column("machine_id", String(100), nullable=False),
    Column("dns_name", Text, nullable=False),
    Column("type", String(40), nullable=False),
    Column("status", String(16), nullable=False),
    Column("scope", String(32)),
    Column("title", Text),
    Column("requestor", Text, nullable=False),
    Column("request_source", String(32), nullable=False),
    Column("requestor_comment", Text, nullable=False),
    Column("external_id", Text),
    Column("created", BigInteger, nullable=False),
    Column("last_update", BigInteger, nullable=False),
    Column("error_hresult", BigInteger, nullable=False),
    Column("cancellation_requestor", Text),
    Column("cancellation_comment", Text),
    Column("cancelled_at", BigInteger),
    Column("file_identifier", String(64)),
    Column("file_identifier_type", String(16)),
    Column("commands", JSON, nullable=False),
    Column("active_key", String(200), comment="what only one unfinished action may have"),
    ForeignKeyConstraint(["tenant_id", "machine_id"], ["machines.tenant_id", "machines.machine_id"]),
    Index("ix_machine_actions_tenant_id_created", "tenant_id", "created", "action_id"),
    # NULLs never collide: finished actions stand in nobody's way.
    Index("ix_machine_actions_tenant_id_active_key", "tenant_id", "active_key", unique=True),
)

ACTION_OUTPUTS = Table(
    "machine_action_outputs",
    METADATA,
    tenant_key(),
    Column("action_id", GUID, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="of the command; -1 is a package"),
    Column("file_name", Text, nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    ForeignKeyConstraint(["tenant_id", "action_id"], ["machine_actions.tenant_id", "machine_actions.action_id"]),
)

INVESTIGATION_COUNTERS = Table(
    "investigation_counters",
    METADATA,
    tenant_key(),
    Column("last_investigation_id", BigInteger, nullable=False),
)

INVESTIGATIONS = Table(
    "investigations",
    METADATA,
    tenant_key(),
    Column("investigation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("machine_id", String(100), nullable=False),
    Column("dns_name", Text, nullable=False),
    Column("state", String(40), nullable=False),
    Column("status_details", Text),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("cancelled_by", Text),
    Column("triggering_alert_id", String(64)),
    Column("comment", Text, nullable=False),
    ForeignKeyConstraint(["tenant_id", "machine_id"], ["machines.tenant_id", "machines.machine_id"]),
    Index("ix_investigations_tenant_id_started", "tenant_id", "started", "investigation_id"),
)

LIBRARY_FILES = Table(
    "library_files",
    METADATA,
    tenant_key(),
    Column("file_name", String(260), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("description", Text, nullable=False),
    Column("parameters_description", Text),
    Column("has_parameters", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("last_update", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

REMEDIATION_TASKS = Table(
    "remediation_tasks",
    METADATA,
    tenant_key(),
    Column("task_id", GUID, primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("details", JSON, nullable=False, comment="what the task was asked for with"),
    Column("machine_ids", JSON, nullable=False, comment="the machines that were exposed when it was asked for"),
    Column("completed", BigInteger),
    Column("completer", JSON, comment="who marked it as completed; null: all machines were mended"),
    Index("ix_remediation_tasks_tenant_id_created", "tenant_id", "created", "task_id"),
)

SCORE_CONTROL_UPDATES = Table(
    "score_control_updates",
    METADATA,
    tenant_key(),
    Column("control_id", String(200), primary_key=True),
    Column("updated", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(40), nullable=False),
    Column("assigned_to", Text),
    Column("comment", Text),
    Column("updated_by", Text, nullable=False),
)
