"""A workload inside a network namespace, told what to do by JSON lines on standard input.

Each command {"id", "op", ...} is answered by one line {"id", "result"} or {"id", "error"}. Every
received frame that carries a mark (MARK, label, NUL) is reported by a line {"seen", "frame"}.
Python, because AF_PACKET sockets are out of reach of Node. Needs the standard library only.
"""
import fcntl
import json
import selectors
import socket
import struct
import sys
import termios
import threading
import time

DEVICE = "eth0"
MARK = b"patchbay-e2e:"
ECHO_PORT, SINK_PORT = 7, 9
OUTGOING = 4  # PACKET_OUTGOING of linux/if_packet.h
RETRANSMITS = 2  # offset of tcpi_retransmits in struct tcp_info
CHUNK = b"x" * 4096
CHUNK_PAUSE = 0.005

output_lock = threading.Lock()


def report(message):
    with output_lock:
        print(json.dumps(message), flush=True)


def raw_socket(protocol):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    raw.bind((DEVICE, protocol))
    return raw


def capture(raw):
    while True:
        frame, address = raw.recvfrom(65536)
        at = frame.find(MARK)
        if address[2] == OUTGOING or at < 0:
            continue
        label = frame[at + len(MARK):].split(b"\0")[0].decode("ascii", "replace")
        report({"seen": label, "frame": frame.hex()})


class Services:
    """Answers on ECHO_PORT; counts what comes in on SINK_PORT."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.lock = threading.Lock()
        self.sinks = {}
        self.counted = 0
        for port in (ECHO_PORT, SINK_PORT):
            listener = socket.create_server(("0.0.0.0", port), backlog=64)
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ, port)

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    self.read(key.fileobj)
                else:
                    self.accept(key.fileobj, key.data)

    def accept(self, listener, port):
        connection, _ = listener.accept()
        connection.setblocking(False)
        with self.lock:
            if port == SINK_PORT:
                self.sinks[connection] = True
        self.selector.register(connection, selectors.EVENT_READ, None)

    def read(self, connection):
        with self.lock:
            try:
                data = connection.recv(65536)
            except OSError:
                data = b""
            if connection in self.sinks:
                self.counted += len(data)
            elif data:
                connection.sendall(data)
            if not data:
                self.sinks.pop(connection, None)
                self.selector.unregister(connection)
                connection.close()

    def received(self):
        """Bytes that have reached this host's sink, those not yet read included."""
        with self.lock:
            return self.counted + sum(waiting(connection) for connection in self.sinks)


def waiting(connection):
    answer = fcntl.ioctl(connection, termios.FIONREAD, struct.pack("i", 0))
    return struct.unpack("i", answer)[0]


class Stream(threading.Thread):
    """Sends without end, at an easy pace, until the connection fails."""

    def __init__(self, ip):
        super().__init__(daemon=True)
        self.connection = socket.create_connection((ip, SINK_PORT), 5)

    def run(self):
        try:
            while True:
                self.connection.sendall(CHUNK)
                time.sleep(CHUNK_PAUSE)
        except OSError:
            self.connection.close()

    def retransmits(self):
        info = self.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        return info[RETRANSMITS]


class Spray(threading.Thread):
    """Sends the same frames over and over."""

    def __init__(self, raw, frames, interval):
        super().__init__(daemon=True)
        self.raw, self.frames, self.interval = raw, frames, interval
        self.sent = 0
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(self.interval):
            for frame in self.frames:
                send(self.raw, frame)
            self.sent += 1


def send(raw, frame):
    try:
        raw.send(frame)
    except OSError as error:
        # While the other end of the veth is being plugged again the device is down.
        if error.errno not in (100, 105):
            raise


def connect(ip, seconds):
    """Whether a TCP connection is made and what is sent comes back."""
    try:
        with socket.create_connection((ip, ECHO_PORT), seconds) as connection:
            connection.settimeout(seconds)
            connection.sendall(b"hello")
            return connection.recv(16) == b"hello"
    except OSError:
        return False


class Workload:
    def __init__(self):
        self.raw = raw_socket(0)
        self.services = Services()
        self.stream = None
        self.sprays = []
        listening = raw_socket(3)  # ETH_P_ALL
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        for target, args in ((capture, (listening,)), (self.services.run, ())):
            threading.Thread(target=target, args=args, daemon=True).start()

    def send(self, frames):
        for frame in frames:
            send(self.raw, bytes.fromhex(frame))

    def connect(self, ip, seconds):
        return connect(ip, seconds)

    def stream_to(self, ip):
        self.stream = Stream(ip)
        self.stream.start()

    def retransmits(self):
        return self.stream.retransmits()

    def received(self):
        return self.services.received()

    def spray(self, frames, interval):
        spray = Spray(self.raw, [bytes.fromhex(frame) for frame in frames], interval)
        self.sprays.append(spray)
        spray.start()

    def sprayed(self):
        return sum(spray.sent for spray in self.sprays)

    def answer(self, command):
        number, operation = command.pop("id"), command.pop("op")
        try:
            report({"id": number, "result": getattr(self, operation)(**command)})
        except Exception as error:
            report({"id": number, "error": f"{type(error).__name__}: {error}"})


def main():
    workload = Workload()
    report({"ready": True})
    for line in sys.stdin:
        threading.Thread(target=workload.answer, args=(json.loads(line),), daemon=True).start()


main()
