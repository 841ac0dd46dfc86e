"""Numbered traffic between two hosts: what is lost, cut or altered on the way can be told exactly.

  stream.py receive            takes what comes in on PORT, by TCP and by UDP
  stream.py send IP LABEL      sends one TCP stream, and numbered datagrams, until it is told to stop
  stream.py probe IP LABEL     sends the datagrams alone

Prints "ready", then answers each line on standard input by one line of JSON about what it has sent
or received so far; the line "stop" ends the sending first. Half of the datagrams belong to one
connection, the other half to connections that are new every few packets.
"""
import json
import socket
import struct
import sys
import threading
import time

PORT = 4300
CHUNK = 512
PAUSE = 0.01
NEW_CONNECTION_EVERY = 25
PATTERN = bytes(range(251))  # a prime: no offset that is off by a power of two looks right
MARK = b"pbstream"
HEAD = struct.Struct("!8s8sI")


def expected(offset, length):
    start = offset % len(PATTERN)
    copies = (start + length) // len(PATTERN) + 1
    return (PATTERN * copies)[start:start + length]


class Receiver:
    def __init__(self):
        self.connections = []
        self.datagrams = {}
        self.listener = socket.create_server(("0.0.0.0", PORT))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.udp.bind(("0.0.0.0", PORT))
        for work in (self.accept, self.take_datagrams):
            threading.Thread(target=work, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            facts = {"bytes": 0, "intact": True, "ended": None, "longestGapMs": 0}
            self.connections.append(facts)
            threading.Thread(target=self.read, args=(connection, facts), daemon=True).start()

    def read(self, connection, facts):
        last = None
        while True:
            try:
                data = connection.recv(65536)
            except OSError as error:
                facts["ended"] = str(error)
                return
            came = time.monotonic()
            if not data:
                facts["ended"] = "closed"
                return
            facts["intact"] &= data == expected(facts["bytes"], len(data))
            facts["bytes"] += len(data)
            gap = 0 if last is None else (came - last) * 1000
            facts["longestGapMs"] = max(facts["longestGapMs"], gap)
            last = came

    def take_datagrams(self):
        while True:
            data = self.udp.recv(256)
            if len(data) != HEAD.size or data[:len(MARK)] != MARK:
                continue
            _, label, number = HEAD.unpack(data)
            self.datagrams.setdefault(label.rstrip(b"\0").decode(), set()).add(number)

    def facts(self):
        counts = {label: len(numbers) for label, numbers in list(self.datagrams.items())}
        return {"connections": list(self.connections), "datagrams": counts}

    def stop(self):
        pass


class Sender:
    def __init__(self, ip, label, with_stream):
        self.ip, self.label = ip, label.encode()
        self.bytes = self.sent = 0
        self.stopping = threading.Event()
        self.tcp = socket.create_connection((ip, PORT), 5) if with_stream else None
        works = [self.send_datagrams] + ([self.send_stream] if with_stream else [])
        self.threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in self.threads:
            thread.start()

    def send_stream(self):
        self.tcp.settimeout(60)
        while not self.stopping.wait(PAUSE):
            self.tcp.sendall(expected(self.bytes, CHUNK))
            self.bytes += CHUNK

    def send_datagrams(self):
        steady = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fresh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while not self.stopping.wait(PAUSE):
            if self.sent % NEW_CONNECTION_EVERY == 0:
                fresh.close()
                fresh = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            through = fresh if self.sent % 2 else steady
            through.sendto(HEAD.pack(MARK, self.label, self.sent), (self.ip, PORT))
            self.sent += 1

    def facts(self):
        return {"bytes": self.bytes, "datagrams": self.sent}

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def main():
    mode, *rest = sys.argv[1:]
    end = Receiver() if mode == "receive" else Sender(*rest, mode == "send")
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "stop":
            end.stop()
        print(json.dumps(end.facts()), flush=True)


main()
