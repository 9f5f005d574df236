"""The private PostgreSQL and Redis of a development installation."""
import os
import pathlib
import pwd
import subprocess
import time
import zlib

from tools.suite.layout import ROOT, Layout

POSTGRES_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
# Services that own a schema; each signs in as a role of its own, which owns that schema and nothing else.
SCHEMAS = {"registry": "registry", "meter_scheduler": "scheduler"}


class Failure(Exception):
    """What went wrong and what to do about it, for the person at the terminal."""


def unprivileged() -> list:
    """PostgreSQL refuses to run as root: as root it runs as Debian's user postgres. setpriv replaces itself, so signals arrive."""
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]


def choose_directory(data: pathlib.Path) -> pathlib.Path:
    """Below `data`, unless the unprivileged user cannot get there (a checkout in /root): then below /var/lib."""
    wanted = data / "postgres"
    if os.getuid() != 0:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        return wanted
    wanted.mkdir(parents=True, exist_ok=True)
    if subprocess.run([*unprivileged(), "test", "-x", str(wanted)]).returncode != 0:
        wanted = pathlib.Path("/var/lib") / f"voltwell-{zlib.crc32(str(data).encode()):08x}"
        wanted.mkdir(parents=True, exist_ok=True)
    user = pwd.getpwnam("postgres")
    os.chown(wanted, user.pw_uid, user.pw_gid)
    wanted.chmod(0o700)
    return wanted


def initialise(directory: pathlib.Path, password: str) -> None:
    """initdb, once. A directory that an interrupted first start left half made is made anew."""
    cluster = directory / "data"
    if (directory / "initialised").exists():
        return
    subprocess.run(["rm", "-rf", str(cluster)], check=True)
    read_end, write_end = os.pipe()
    if os.getuid() == 0:  # initdb opens /dev/fd anew as the unprivileged user, so the pipe must be theirs.
        os.fchown(read_end, pwd.getpwnam("postgres").pw_uid, -1)
    os.write(write_end, password.encode() + b"\n")
    os.close(write_end)
    done = subprocess.run(
        [*unprivileged(), str(POSTGRES_BIN / "initdb"), "-D", str(cluster), "-U", "postgres", "-E", "UTF8", "--no-locale",
         "--auth=scram-sha-256", f"--pwfile=/dev/fd/{read_end}"],
        pass_fds=[read_end], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    os.close(read_end)
    if done.returncode != 0:
        raise Failure(f"initdb failed in {cluster}: {done.stdout.strip()[-400:]}")
    (directory / "initialised").touch()


def postgres_command(layout: Layout) -> list:
    settings = {
        "port": layout.port("postgres"), "listen_addresses": "127.0.0.1", "unix_socket_directories": "''",
        "fsync": "on", "synchronous_commit": "on", "max_connections": 120, "shared_buffers": "128MB",
        # A connection that died with its client must not hold locks for two hours.
        "tcp_keepalives_idle": 30, "log_min_duration_statement": "1s", "logging_collector": "off",
        "password_encryption": "scram-sha-256",
    }
    command = [*unprivileged(), str(POSTGRES_BIN / "postgres"), "-D", str(layout.database / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={str(value).strip(chr(39))}"]
    return command


def redis_command(layout: Layout, password: str) -> list:
    directory = layout.data / "redis"
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(f"""bind 127.0.0.1
port {layout.port('redis')}
requirepass {password}
dir {directory}
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
""")
    return ["redis-server", str(config)]


def psql(layout: Layout, password: str, sql: str, database: str = "postgres") -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(POSTGRES_BIN / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
         "-p", str(layout.port("postgres")), "-U", "postgres", "-d", database, "-c", sql],
        env={**os.environ, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "3"}, cwd="/",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def prepare(layout: Layout, passwords: dict, deadline: float) -> None:
    """Waits until PostgreSQL answers, then makes database, roles and schemas. May be repeated."""
    while True:
        answer = psql(layout, passwords["postgres"], "SELECT 1")
        if answer.returncode == 0:
            break
        if time.monotonic() > deadline:
            raise Failure(f"PostgreSQL does not answer on port {layout.port('postgres')}: {answer.stderr.strip()}; "
                          f"see {layout.logs}/postgres.log.")
        time.sleep(0.1)
    exists = psql(layout, passwords["postgres"], "SELECT 1 FROM pg_database WHERE datname = 'voltwell'").stdout.strip()
    if not exists:
        psql(layout, passwords["postgres"], "CREATE DATABASE voltwell").check_returncode()
    for service, schema in SCHEMAS.items():
        role = f"voltwell_{schema}"
        sql = f"""
          DO $$ BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} LOGIN; END IF;
          END $$;
          ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS PASSWORD '{passwords[service]}';
          CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role};"""
        done = psql(layout, passwords["postgres"], sql, "voltwell")
        if done.returncode != 0:
            raise Failure(f"PostgreSQL refused to prepare schema {schema}: {done.stderr.strip()}")


def check_ports(layout: Layout) -> None:
    """A port in use is found out before anything starts, and told with its name."""
    import socket
    names = ["http", "collectors", "collectors_tls", "postgres", "redis"] + [f"{s}" for s in ("registry", "meter_scheduler",
             "protocol_codec", "collector_gateway")]
    for name in names:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", layout.port(name)))
            except OSError as error:
                raise Failure(f"port {layout.port(name)} ({name}) is in use ({error.strerror}). Stop what uses it, run tools/down, "
                              "or choose other ports with --base-port N.") from error
