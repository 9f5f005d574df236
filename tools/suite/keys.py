"""Keys and certificates of a development installation, and the tokens signed with them (voltwell.rpc.v1.IdentityClaims)."""
import base64
import pathlib
import secrets
import subprocess
import tempfile
import time

# PKCS#8 of an Ed25519 private key is this prefix and the 32 byte seed (RFC 8410).
PKCS8_PREFIX = bytes.fromhex("302e020100300506032b657004220420")


# The same of an X25519 key.
X25519_PREFIX = bytes.fromhex("302e020100300506032b656e04220420")
CERTIFICATE_DAYS = "3650"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _openssl(arguments: list, data: bytes) -> bytes:
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, check=True).stdout


def make_key(keys: pathlib.Path, trust: pathlib.Path, issuer: str, prefix: bytes = PKCS8_PREFIX) -> None:
    """Makes the issuer's key once: the seed in keys/ISSUER.key, readable by us alone, the public key in trust/ISSUER.pub."""
    keys.mkdir(parents=True, exist_ok=True)
    trust.mkdir(parents=True, exist_ok=True)
    keys.chmod(0o700)
    path = keys / f"{issuer}.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(base64url(secrets.token_bytes(32)) + "\n")
    seed = from_base64url(path.read_text().strip())
    public = _openssl(["pkey", "-inform", "DER", "-pubout", "-outform", "DER"], prefix + seed)[-32:]
    (trust / f"{issuer}.pub").write_text(base64url(public) + "\n")


def make_sealing_key(keys: pathlib.Path, trust: pathlib.Path) -> None:
    """keys/sealing.key for the gateways, which unseal collectors' keys; trust/sealing.pub for the registry, which seals them."""
    make_key(keys, trust, "sealing", X25519_PREFIX)


def make_certificate(directory: pathlib.Path, name: str, common_name: str, issuer: str = "") -> None:
    """Makes NAME.pem and NAME.key once, signed by the CA of that file's name, or as a CA of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    if (directory / f"{name}.pem").exists():
        return
    signed = ["-CA", directory / f"{issuer}.pem", "-CAkey", directory / f"{issuer}.key",
              "-addext", "basicConstraints=critical,CA:FALSE"] if issuer else []
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", CERTIFICATE_DAYS, "-subj", f"/CN={common_name}", *signed,
                    "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.pem"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (directory / f"{name}.key").chmod(0o600)


def make_collector_tls(directory: pathlib.Path) -> None:
    """What port 7646 needs: the gateways' certificate and its CA, and the CA whose certificates collectors show."""
    make_certificate(directory, "server-ca", "Voltwell gateways CA")
    make_certificate(directory, "server", "collector-gateway", "server-ca")
    make_certificate(directory, "collectors-ca", "Voltwell collectors CA")


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        out.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def _text(tag: int, value: str) -> bytes:
    data = value.encode()
    return _varint(tag << 3 | 2) + _varint(len(data)) + data


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def token(keys: pathlib.Path, audience: list, tenant: str, subject: str, permissions: list, lifetime: int = 60) -> str:
    """A token of issuer "tools", which only a development installation trusts."""
    now = int(time.time())
    claims = _text(1, "tools") + b"".join(_text(2, name) for name in audience)
    claims += _number(3, now + lifetime) + _number(4, now)
    claims += (_text(5, tenant) if tenant else b"") + _text(6, subject)
    claims += b"".join(_text(7, name) for name in permissions) + _text(9, "OPERATOR")
    head = base64url(claims)
    seed = from_base64url((keys / "tools.key").read_text().strip())
    with tempfile.NamedTemporaryFile() as message:
        message.write(head.encode())
        message.flush()
        signature = subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", "/dev/stdin", "-in", message.name],
            input=PKCS8_PREFIX + seed, stdout=subprocess.PIPE, check=True).stdout
    return head + "." + base64url(signature)
