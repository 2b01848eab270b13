"""Machines and what is known, asked and found of them; indicators."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "device_accounts",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=400), nullable=False, comment="domain\\name in lower case"),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("account_domain", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.String(length=200), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("is_written", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", name=op.f("pk_device_accounts")),
    )
    op.create_table(
        "indicator_counters",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("last_indicator_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_indicator_counters")),
    )
    op.create_table(
        "indicators",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("indicator_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("match_value", sa.String(length=2048), nullable=False, comment="as events are compared with it"),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("application", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_type", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("recommended_actions", sa.Text(), nullable=True),
        sa.Column("educate_url", sa.Text(), nullable=True),
        sa.Column("generate_alert", sa.Boolean(), nullable=False),
        sa.Column("rbac_group_names", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("last_updated_by", sa.Text(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("last_update", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "indicator_id", name=op.f("pk_indicators")),
    )
    with op.batch_alter_table("indicators", schema=None) as batch_op:
        batch_op.create_index("ix_indicators_tenant_id_created", ["tenant_id", "created", "indicator_id"], unique=False)
        batch_op.create_index(
            "ix_indicators_tenant_id_type_match_value", ["tenant_id", "type", "match_value"], unique=True
        )

    op.create_table(
        "investigation_counters",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("last_investigation_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_investigation_counters")),
    )
    op.create_table(
        "library_files",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("file_name", sa.String(length=260), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("parameters_description", sa.Text(), nullable=True),
        sa.Column("has_parameters", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("last_update", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "file_name", name=op.f("pk_library_files")),
    )
    op.create_table(
        "machine_groups",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_machine_groups")),
    )
    op.create_table(
        "machines",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("machine_id", sa.String(length=100), nullable=False),
        sa.Column("dns_name", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("os_platform", sa.String(length=64), nullable=True),
        sa.Column("os_architecture", sa.String(length=16), nullable=True),
        sa.Column("os_version", sa.String(length=64), nullable=True),
        sa.Column("os_build", sa.BigInteger(), nullable=True),
        sa.Column("agent_version", sa.String(length=64), nullable=True),
        sa.Column("last_ip_address", sa.String(length=64), nullable=True),
        sa.Column("last_ip_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_external_ip_address", sa.String(length=64), nullable=True),
        sa.Column("onboarding_status", sa.String(length=32), nullable=False),
        sa.Column("rbac_group_id", sa.BigInteger(), nullable=False),
        sa.Column("rbac_group_name", sa.Text(), nullable=True),
        sa.Column("exposure_level", sa.String(length=16), nullable=False),
        sa.Column("device_value", sa.String(length=16), nullable=False),
        sa.Column("aad_device_id", sa.String(length=36), nullable=True),
        sa.Column("is_aad_joined", sa.Boolean(), nullable=True),
        sa.Column(
            "described", sa.BigInteger(), nullable=False, comment="time of the newest inventory record that was read"
        ),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="counts changes worth an inventory row"),
        sa.Column("written_revision", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "machine_id", name=op.f("pk_machines")),
    )
    with op.batch_alter_table("machines", schema=None) as batch_op:
        batch_op.create_index("ix_machines_tenant_id_dns_name", ["tenant_id", "dns_name"], unique=False)
        batch_op.create_index("ix_machines_tenant_id_last_seen", ["tenant_id", "last_seen", "machine_id"], unique=False)

    op.create_table(
        "investigations",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("investigation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("machine_id", sa.String(length=100), nullable=False),
        sa.Column("dns_name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("status_details", sa.Text(), nullable=True),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("triggering_alert_id", sa.String(length=64), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "machine_id"],
            ["machines.tenant_id", "machines.machine_id"],
            name=op.f("fk_investigations_tenant_id_machines"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "investigation_id", name=op.f("pk_investigations")),
    )
    with op.batch_alter_table("investigations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_investigations_tenant_id_started", ["tenant_id", "started", "investigation_id"], unique=False
        )

    op.create_table(
        "machine_actions",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("action_id", sa.String(length=36), nullable=False),
        sa.Column("machine_id", sa.String(length=100), nullable=False),
        sa.Column("dns_name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("requestor", sa.Text(), nullable=False),
        sa.Column("request_source", sa.String(length=32), nullable=False),
        sa.Column("requestor_comment", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("last_update", sa.BigInteger(), nullable=False),
        sa.Column("error_hresult", sa.BigInteger(), nullable=False),
        sa.Column("cancellation_requestor", sa.Text(), nullable=True),
        sa.Column("cancellation_comment", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.Column("file_identifier", sa.String(length=64), nullable=True),
        sa.Column("file_identifier_type", sa.String(length=16), nullable=True),
        sa.Column("commands", sa.JSON(), nullable=False),
        sa.Column(
            "active_key", sa.String(length=200), nullable=True, comment="what only one unfinished action may have"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "machine_id"],
            ["machines.tenant_id", "machines.machine_id"],
            name=op.f("fk_machine_actions_tenant_id_machines"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "action_id", name=op.f("pk_machine_actions")),
    )
    with op.batch_alter_table("machine_actions", schema=None) as batch_op:
        batch_op.create_index("ix_machine_actions_tenant_id_active_key", ["tenant_id", "active_key"], unique=True)
        batch_op.create_index(
            "ix_machine_actions_tenant_id_created", ["tenant_id", "created", "action_id"], unique=False
        )

    op.create_table(
        "machine_addresses",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("machine_id", sa.String(length=100), nullable=False),
        sa.Column("ip_address", sa.String(length=64), nullable=False),
        sa.Column("mac_address", sa.String(length=32), nullable=True),
        sa.Column("operational_status", sa.String(length=32), nullable=True),
        sa.Column("adapter_type", sa.String(length=64), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "machine_id"],
            ["machines.tenant_id", "machines.machine_id"],
            name=op.f("fk_machine_addresses_tenant_id_machines"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "machine_id", "ip_address", name=op.f("pk_machine_addresses")),
    )
    with op.batch_alter_table("machine_addresses", schema=None) as batch_op:
        batch_op.create_index("ix_machine_addresses_tenant_id_ip_address", ["tenant_id", "ip_address"], unique=False)

    op.create_table(
        "machine_tags",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("machine_id", sa.String(length=100), nullable=False),
        sa.Column("tag", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "machine_id"],
            ["machines.tenant_id", "machines.machine_id"],
            name=op.f("fk_machine_tags_tenant_id_machines"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "machine_id", "tag", name=op.f("pk_machine_tags")),
    )
    with op.batch_alter_table("machine_tags", schema=None) as batch_op:
        batch_op.create_index("ix_machine_tags_tenant_id_tag", ["tenant_id", "tag"], unique=False)

    op.create_table(
        "machine_users",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("machine_id", sa.String(length=100), nullable=False),
        sa.Column("account_id", sa.String(length=400), nullable=False, comment="domain\\name in lower case"),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("account_domain", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.String(length=200), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("logon_types", sa.JSON(), nullable=False),
        sa.Column("is_local_admin", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "machine_id"],
            ["machines.tenant_id", "machines.machine_id"],
            name=op.f("fk_machine_users_tenant_id_machines"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "machine_id", "account_id", name=op.f("pk_machine_users")),
    )
    with op.batch_alter_table("machine_users", schema=None) as batch_op:
        batch_op.create_index("ix_machine_users_tenant_id_account_id", ["tenant_id", "account_id"], unique=False)

    op.create_table(
        "machine_action_outputs",
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("action_id", sa.String(length=36), nullable=False),
        sa.Column(
            "position", sa.Integer(), autoincrement=False, nullable=False, comment="of the command; -1 is a package"
        ),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "action_id"],
            ["machine_actions.tenant_id", "machine_actions.action_id"],
            name=op.f("fk_machine_action_outputs_tenant_id_machine_actions"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "action_id", "position", name=op.f("pk_machine_action_outputs")),
    )
