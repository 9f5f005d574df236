"""The foreign collector with an identity to prove: a key by the challenge of dialect login-key, a key or a certificate through TLS.

Written from the gateway's README alone, as a firmware author would."""
import hashlib
import hmac
import pathlib
import socket
import ssl
import subprocess
import threading

from foreign_collector import ForeignCollector


class ProvingCollector(ForeignCollector):
    """`key`: answers challenges. `asked` holds their nonces, `answers` what was sent; `answer`, if given, is sent instead."""

    def __init__(self, port: int, registration_id: str, address: str, key: bytes = b"", answer: bytes = b""):
        self.registration_id, self.key, self.answer = registration_id, key, answer
        self.asked, self.answers = [], []
        super().__init__(port, f"LOGIN:{registration_id}\r\n".encode(), address)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def dial(self) -> None:
        self.closed.clear()
        self.socket = self.connect()
        self.socket.settimeout(None)
        self.socket.sendall(self.registration)
        threading.Thread(target=self._prove, args=(self.socket,), daemon=True).start()

    def _prove(self, connection: socket.socket) -> None:
        try:
            if self.key:
                line = b""
                while not line.endswith(b"\r\n"):
                    byte = connection.recv(1)
                    if not byte:
                        self.closed.set()
                        return
                    line += byte
                nonce = line[len(b"CHAL:"):-2]
                self.asked.append(nonce)
                text = b"VW1:" + nonce + b":" + self.registration_id.encode()
                mac = hmac.new(self.key, text, hashlib.sha256).hexdigest().encode()
                self.answers.append(self.answer or b"RESP:" + mac + b"\r\n")
                connection.sendall(self.answers[-1])
        except OSError:
            self.closed.set()
            return
        self._serve(connection)


class CertifiedCollector(ForeignCollector):
    """Through TLS, with or without a certificate of its own."""

    def __init__(self, port: int, registration: bytes, address: str, server_ca: pathlib.Path, own: pathlib.Path | None = None):
        self.context = ssl.create_default_context(cafile=str(server_ca))
        if own:
            self.context.load_cert_chain(own.with_suffix(".pem"), own.with_suffix(".key"))
        super().__init__(port, registration, address)

    def dial(self) -> None:
        self.closed.clear()
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        # OpenSSL's connections are not for two threads at once: this one only reads after its first write.
        self.socket = self.context.wrap_socket(plain, server_hostname="collector-gateway")
        self.socket.settimeout(None)
        self.socket.sendall(self.registration)
        threading.Thread(target=self._serve, args=(self.socket,), daemon=True).start()


class PskCollector(ForeignCollector):
    """Through TLS with a key; the TLS is that of `openssl s_client`, since Python's has no keys before 3.13."""

    def __init__(self, port: int, registration_id: str, address: str, key: bytes, version: str = "-tls1_3", identity: str = ""):
        self.command = ["openssl", "s_client", "-quiet", "-nocommands", "-connect", f"127.0.0.1:{port}", version,
                        "-psk_identity", identity or registration_id, "-psk", key.hex()]
        if version == "-tls1_2":
            self.command += ["-cipher", "PSK"]
        self.process = None
        super().__init__(port, registration_id.encode() + b"\r\n", address)

    def dial(self) -> None:
        self.closed.clear()
        self.socket, theirs = socket.socketpair()
        self.process = subprocess.Popen(self.command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
        theirs.close()
        self.socket.sendall(self.registration)
        threading.Thread(target=self._serve, args=(self.socket,), daemon=True).start()

    def close(self) -> None:
        super().close()
        self.process.terminate()
        self.process.wait(10)
