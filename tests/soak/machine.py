"""What the soak runs on: the clock that pods share, a Redis that can be lost, and gateway pods as processes of their own."""
import mmap
import os
import pathlib
import signal
import socket
import subprocess
import time

SECOND = 1_000_000_000  # Times are whole nanoseconds.


class Clock:
    """Shared memory: the time now, then for each pod how far it has come; see gateway_soak.cpp."""

    def __init__(self, file: pathlib.Path, start: int):
        file.write_bytes(bytes(4096))
        self.file = file
        with open(file, "r+b") as opened:
            self.map = mmap.mmap(opened.fileno(), 4096)
        self.cells = memoryview(self.map).cast("q")
        self.now = start
        self.cells[0] = start

    def move_to(self, now: int) -> None:
        self.now = now
        self.cells[0] = now

    def reached(self, slot: int) -> int:
        return self.cells[1 + slot]

    def forget(self, slot: int) -> None:
        self.cells[1 + slot] = 0


class RedisAway(Exception):
    pass


class Redis:
    """A server in memory only, and as much of its protocol as is needed here."""

    def __init__(self, port: int):
        self.port, self.server, self.connection, self.buffer = port, None, None, b""

    def start(self) -> None:
        self.server = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while True:
            try:
                self.call("PING")
                return
            except RedisAway:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def kill(self) -> None:
        """All that it knew is lost."""
        if self.connection:
            self.connection.close()
        self.connection = None
        if self.server:
            self.server.kill()
            self.server.wait()
        self.server = None

    def call(self, *words):
        try:
            if self.connection is None:
                self.connection, self.buffer = socket.create_connection(("127.0.0.1", self.port), timeout=5), b""
            parts = [str(word).encode() for word in words]
            self.connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            return self._reply()
        except OSError as error:
            if self.connection:
                self.connection.close()
            self.connection = None
            raise RedisAway(str(error)) from None

    def _line(self) -> bytes:
        while (end := self.buffer.find(b"\r\n")) < 0:
            self._more()
        line, self.buffer = self.buffer[:end], self.buffer[end + 2:]
        return line

    def _more(self) -> None:
        chunk = self.connection.recv(1 << 20)
        if not chunk:
            raise OSError("closed")
        self.buffer += chunk

    def _reply(self):
        line = self._line()
        kind, rest = line[:1], line[1:].decode()
        if kind in b"+:":
            return int(rest) if kind == b":" else rest
        if kind == b"-":
            raise AssertionError(f"Redis: {rest}")
        if int(rest) < 0:
            return None
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        while len(self.buffer) < int(rest) + 2:
            self._more()
        text, self.buffer = self.buffer[:int(rest)].decode(), self.buffer[int(rest) + 2:]
        return text


class Pod:
    """One gateway process. `lines` gives what it has said since the last look."""

    def __init__(self, program: pathlib.Path, clock: Clock, slot: int, port: int, redis_port: int, collectors: int, log):
        self.name, self.slot, self.port = f"gateway-{slot}", slot, port
        self.command = [str(program), str(clock.file), str(slot), self.name, str(port), str(redis_port), str(collectors), "2"]
        self.clock, self.log = clock, log
        self.process, self.up, self.buffer = None, False, b""

    def start(self) -> None:
        self.clock.forget(self.slot)
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        env={**os.environ, "MALLOC_ARENA_MAX": "1"})
        os.set_blocking(self.process.stdout.fileno(), False)
        self.up, self.buffer = False, b""

    def say(self, text: str) -> bool:
        if self.process is None:
            return False
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
            return True
        except OSError:
            return False

    def lines(self) -> list:
        try:
            chunk = os.read(self.process.stdout.fileno(), 1 << 20)
        except BlockingIOError:
            return []
        *whole, self.buffer = (self.buffer + chunk).split(b"\n")
        said = [line.decode() for line in whole]
        if "listening" in said:
            self.up = True
        return said

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def gone(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def forget(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
        self.process.wait()
        self.process, self.up = None, False

    def memory(self) -> int:
        """Bytes of its own that it has in memory."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0

    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
