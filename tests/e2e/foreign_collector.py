"""A collector and a meter written from the standard alone: shares no code with the suite or with the field simulator.

A plain TCP client: sends its registration bytes, then answers DL/T 645-2007 frames as one meter would."""
import socket
import threading


def bcd(number: int, length: int) -> bytes:
    """Low byte first (DL/T 645-2007, 5.2)."""
    text = f"{number:0{2 * length}d}"
    return bytes(int(text[i:i + 2], 16) for i in range(len(text) - 2, -2, -2))


def frame(address: bytes, control: int, data: bytes) -> bytes:
    body = b"\x68" + address + b"\x68" + bytes([control, len(data)]) + bytes((byte + 0x33) & 0xFF for byte in data)
    return body + bytes([sum(body) & 0xFF, 0x16])


class ForeignCollector:
    """Dials, registers, answers until closed. `energy` in 0.01 kWh. `relay_open` follows 1CH with password 02 000000. `source`
    is the address it dials from, of 127.0.0.0/8; empty: 127.0.0.1."""

    def __init__(self, port: int, registration: bytes, address: str, energy: int = 123456, source: str = ""):
        self.address = bytes.fromhex(address)[::-1]
        self.registration, self.port, self.source = registration, port, source
        self.energy, self.relay_open = energy, False
        self.requests, self.relay_commands = [], []
        self.silent = False
        self.before_reply = b""  # Garbage put on the line before each reply.
        self.spoil_checksum = False
        self.closed = threading.Event()
        self.socket = None
        self.dial()

    def dial(self) -> None:
        self.closed.clear()
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=10,
                                               source_address=(self.source, 0) if self.source else None)
        self.socket.settimeout(None)
        self.socket.sendall(self.registration)
        threading.Thread(target=self._serve, args=(self.socket,), daemon=True).start()

    def close(self) -> None:
        if self.socket:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.socket.close()

    def _serve(self, connection: socket.socket) -> None:
        buffer = b""
        try:
            while chunk := connection.recv(4096):
                buffer += chunk
                while True:
                    start = buffer.find(b"\x68")
                    if start < 0 or len(buffer) < start + 12 or len(buffer) < start + 12 + buffer[start + 9]:
                        break
                    whole = buffer[start:start + 12 + buffer[start + 9]]
                    buffer = buffer[start + len(whole):]
                    reply = self._answer(whole)
                    if reply and not self.silent:
                        if self.spoil_checksum:
                            reply = reply[:-2] + bytes([(reply[-2] + 1) & 0xFF, 0x16])
                        connection.sendall(self.before_reply + reply)
        except OSError:
            pass
        self.closed.set()

    def _answer(self, request: bytes) -> bytes:
        if request[1:7] not in (self.address, b"\xaa" * 6):
            return b""
        self.requests.append(request)
        control = request[8]
        data = bytes((byte - 0x33) & 0xFF for byte in request[10:-2])
        if control == 0x11:
            return self._read(data[:4])
        if control == 0x1C:
            return self._relay(data)
        return frame(self.address, control | 0xC0, b"\x02")

    def _read(self, identifier: bytes) -> bytes:
        number = identifier[::-1].hex()
        values = {
            "00010000": bcd(self.energy, 4),
            "02010100": bcd(2205, 2),  # 220.5 V
            # Status word 3, bit 4: the relay (1 = open); bit 6: the state that is commanded.
            "04000503": bytes([0x50 if self.relay_open else 0x00, 0x00]),
        }
        if number not in values:
            return frame(self.address, 0xD1, b"\x02")  # No such data.
        return frame(self.address, 0x91, identifier + values[number])

    def _relay(self, data: bytes) -> bytes:
        self.relay_commands.append(data)
        if data[:4] != b"\x02\x00\x00\x00":
            return frame(self.address, 0xDC, b"\x04")  # Wrong password.
        if data[8] == 0x1A:
            self.relay_open = True
        elif data[8] in (0x1B, 0x1C):
            self.relay_open = False
        return frame(self.address, 0x9C, b"")
