"""A simulated collector with its meters on a real socket: dials, registers, answers, and fails in all the ways that boxes do."""
import select
import socket

from machine import SECOND

# Of each request. Together 2 % of attempts fail; late and split answers come on top.
SILENT, BAD_SUM, GARBAGE = 0.014, 0.003, 0.003
LATE, SPLIT, ECHO = 0.005, 0.01, 0.005
DROP_EVERY, HALF_OPEN_EVERY = 6, 24  # Hours, on the average, for each collector.


def frame(meter: int, control: int, data: bytes) -> bytes:
    body = b"\x68" + bytes([meter]) * 6 + b"\x68" + bytes([control, len(data)]) + data
    return body + bytes([sum(body) & 0xFF, 0x16])


class Collector:
    def __init__(self, soak, number: int):
        self.soak, self.number, self.name = soak, number, f"S{number:04d}"
        self.socket, self.buffer = None, b""
        self.dial, self.dials = 0, {}  # Connections so far; the pod that each was made to.
        self.dark_until = 0

    def plan(self) -> None:
        hour, draw = self.soak.hour / SECOND, self.soak.random
        self.soak.after(draw.uniform(0, 20), self.connect)
        self.soak.after(draw.uniform(0, 60), self.beat)
        self.soak.after(draw.expovariate(1 / (DROP_EVERY * hour)), self.drop_now_and_then)
        self.soak.after(draw.expovariate(1 / (HALF_OPEN_EVERY * hour)), self.half_open_now_and_then)

    # -- the connection

    def connect(self) -> None:
        if self.socket is not None or self.soak.now < self.dark_until:
            return
        pods = self.soak.random.sample(self.soak.pods, 2)  # As a balancer that knows not yet who is gone.
        for pod in pods:
            if not pod.up:
                continue
            dialled = socket.socket()
            dialled.settimeout(2)
            try:
                dialled.connect(("127.0.0.1", pod.port))
                dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                dialled.setblocking(False)
                dialled.send(self.name.encode())
            except OSError:
                dialled.close()
                continue
            self.socket, self.buffer = dialled, b""
            self.dial += 1
            self.dials[self.dial] = pod.name
            self.soak.by_fd[dialled.fileno()] = self
            self.soak.epoll.register(dialled.fileno(), select.EPOLLIN)
            self.soak.counts["dialled"] += 1
            return
        self.soak.after(self.soak.random.uniform(1, 6), self.connect)

    def leave(self):
        """Forgets its socket, which is returned."""
        left, self.socket = self.socket, None
        if left is not None:
            self.soak.epoll.unregister(left.fileno())
            del self.soak.by_fd[left.fileno()]
        return left

    def drop(self, hard: bool) -> None:
        left = self.leave()
        if left is None:
            return
        if hard:  # RST.
            left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        left.close()
        self.soak.after(self.soak.random.uniform(1, 6), self.connect)

    def drop_now_and_then(self) -> None:
        self.soak.counts["drops"] += self.socket is not None
        self.drop(hard=self.soak.random.random() < 0.3)
        self.soak.after(self.soak.random.expovariate(1 / (DROP_EVERY * self.soak.hour / SECOND)), self.drop_now_and_then)

    def half_open_now_and_then(self) -> None:
        """The old connection stays, mute; the box dials anew."""
        left = self.leave()
        if left is not None:
            self.soak.counts["half-open"] += 1
            self.soak.after(self.soak.hour / SECOND / 6, left.close)
            self.soak.after(self.soak.random.uniform(1, 6), self.connect)
        self.soak.after(self.soak.random.expovariate(1 / (HALF_OPEN_EVERY * self.soak.hour / SECOND)), self.half_open_now_and_then)

    def go_dark(self, span: int) -> None:
        self.soak.counts["dark"] += 1
        self.dark_until = self.soak.now + span
        self.drop(hard=False)
        self.soak.at(self.dark_until + SECOND, self.connect)

    def beat(self) -> None:
        self.send(b"ping")
        self.soak.after(60, self.beat)

    # -- the line

    def send(self, data: bytes, dial: int = 0) -> None:
        if self.socket is None or (dial and dial != self.dial):
            return
        try:
            self.socket.send(data)
        except OSError:
            self.drop(hard=False)

    def on_bytes(self) -> None:
        try:
            chunk = self.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.drop(hard=False)
            return
        self.buffer += chunk
        while len(self.buffer) >= 12 and len(self.buffer) >= 12 + self.buffer[9]:
            length = 12 + self.buffer[9]
            request, self.buffer = self.buffer[:length], self.buffer[length:]
            self.answer(request)

    def answer(self, request: bytes) -> None:
        draw, meter = self.soak.random, request[1]
        value = self.number.to_bytes(2, "big") + self.dial.to_bytes(4, "big") + bytes([meter])
        reply = frame(meter, 0x91, request[10:14] + value)
        wait, luck = draw.uniform(0.2, 1.5), draw.random()
        self.soak.counts["requests"] += 1
        if luck < SILENT + BAD_SUM + GARBAGE:
            self.soak.counts["attempts made to fail"] += 1
            if luck < SILENT:
                return
            reply = reply[:-2] + bytes([reply[-2] ^ 0x55]) + reply[-1:] if luck < SILENT + BAD_SUM else draw.randbytes(15)
        elif draw.random() < LATE:
            self.soak.counts["late answers"] += 1
            wait = draw.uniform(2, 20)
        if draw.random() < ECHO:
            reply = request + reply
        if draw.random() < SPLIT:
            cut = draw.randrange(1, len(reply))
            self.soak.after(wait + draw.uniform(0.1, 0.9), self.send, reply[cut:], self.dial)
            reply = reply[:cut]
        self.soak.after(wait, self.send, reply, self.dial)
