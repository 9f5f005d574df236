"""Makes deploy/secrets/ for deploy/compose.yaml: identity keys, passwords, and the environment of each service.

Usage: python3 -m tools.suite.compose_secrets. Never overwrites what is there."""
import secrets
import sys

from tools.suite import keys
from tools.suite.layout import ROOT, SERVICES

PORTS = {"registry": 9001, "meter_scheduler": 9002, "protocol_codec": 9003, "collector_gateway": 9004}
SCHEMAS = {"registry": "registry", "meter_scheduler": "scheduler"}


def main() -> int:
    target = ROOT / "deploy/secrets"
    if target.exists():
        print(f"{target} is there already; remove it to make new secrets (data made with the old ones is then lost).")
        return 1
    passwords = {name: secrets.token_hex(16) for name in ("postgres", "redis", "admin", *SCHEMAS)}
    for issuer in (*SERVICES, "directory"):
        keys.make_key(target / "keys", target / "trust", issuer)
    # Only the gateways see the half that unseals collectors' keys, and what port 7646 shows.
    keys.make_sealing_key(target / "collectors", target / "trust")
    keys.make_collector_tls(target / "collectors")

    def write(name: str, lines: list) -> None:
        (target / name).touch(mode=0o600)
        (target / name).write_text("\n".join(lines) + "\n")

    write("postgres.env", [f"POSTGRES_PASSWORD={passwords['postgres']}", "POSTGRES_DB=voltwell"])
    write("init.sql", [line for service, schema in SCHEMAS.items() for line in (
        f"CREATE ROLE voltwell_{schema} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{passwords[service]}';",
        f"CREATE SCHEMA {schema} AUTHORIZATION voltwell_{schema};")])
    write("redis.conf", [f"requirepass {passwords['redis']}", "appendonly yes", "dir /data"])
    write("common.env", ["VOLTWELL_LISTEN=0.0.0.0", "VOLTWELL_IDENTITY_TRUST_DIR=/etc/voltwell/trust",
                         "VOLTWELL_REDIS_HOST=redis", "VOLTWELL_REDIS_PORT=6379",
                         f"VOLTWELL_REDIS_PASSWORD={passwords['redis']}"])
    own = {
        "registry": ["VOLTWELL_BOOTSTRAP_TENANT=main", "VOLTWELL_BOOTSTRAP_ADMIN_USER=admin",
                     f"VOLTWELL_BOOTSTRAP_ADMIN_PASSWORD={passwords['admin']}",
                     "VOLTWELL_DIRECTORY_KEY_FILE=/etc/voltwell/keys/directory.key"],
        "protocol_codec": ["VOLTWELL_PROFILE_DIRECTORY=/usr/share/voltwell/profiles"],
        "collector_gateway": ["VOLTWELL_POD=gateway-0", "VOLTWELL_ADVERTISE=collector-gateway:9004",
                              "VOLTWELL_DIALECT_DIRECTORY=/usr/share/voltwell/dialects",
                              "VOLTWELL_SEALING_KEY_FILE=/etc/voltwell/collectors/sealing.key",
                              "VOLTWELL_TLS_CERTIFICATE_FILE=/etc/voltwell/collectors/server.pem",
                              "VOLTWELL_TLS_KEY_FILE=/etc/voltwell/collectors/server.key",
                              "VOLTWELL_TLS_CLIENT_CA_FILE=/etc/voltwell/collectors/collectors-ca.pem"],
        "meter_scheduler": ["VOLTWELL_CODEC_ADDRESS=dns:///protocol-codec:9003",
                            "VOLTWELL_REGISTRY_ADDRESS=dns:///registry:9001"],
        "api_gateway": ["VOLTWELL_TARGET=registry=dns:///registry:9001,scheduler=dns:///meter-scheduler:9002",
                        "VOLTWELL_STATIC_DIR=/usr/share/voltwell/console"],
    }
    for service in SERVICES:
        lines = [f"VOLTWELL_IDENTITY_KEY_FILE=/etc/voltwell/keys/{service}.key", *own.get(service, [])]
        if service in SCHEMAS:
            lines += [f"VOLTWELL_PG_URL=postgresql://voltwell_{SCHEMAS[service]}@postgres:5432/voltwell",
                      f"VOLTWELL_PG_PASSWORD={passwords[service]}", "VOLTWELL_PG_SQL_DIR=/usr/share/voltwell/libs/pg/sql",
                      f"VOLTWELL_SQL_DIRECTORY=/usr/share/voltwell/services/{service}/sql"]
        write(f"{service}.env", lines)
    print(f"Made {target}. The admin's password is in {target}/registry.env.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
