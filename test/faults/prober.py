"""Sends small UDP packets to every address it is told of, and reports which packets came in.

Commands on standard input, one JSON a line: {"targets": {"NUMBER": "IP", ...}}. Reports on standard
output, about ten a second: {"sent": {"TARGET": COUNT}, "arrived": [[SENDER, TARGET, SENT, CAME],
...]}, with times in milliseconds of CLOCK_MONOTONIC, which all namespaces of a machine share.

Half of the packets belong to a connection that lives as long as the program, so that state which
outlives its right is seen; the other half to connections that are new every few seconds.
"""
import json
import os
import socket
import struct
import sys
import threading
import time

PORT = 4100
INTERVAL = 0.05
REPORT_INTERVAL = 0.1
NEW_CONNECTION_EVERY = 40
PROBE = struct.Struct("!8sHHd")
MARK = b"pbfault1"


def now():
    return time.monotonic() * 1000


class Prober:
    def __init__(self, own):
        self.own = own
        self.targets = {}
        self.lock = threading.Lock()
        self.sent = {}
        self.arrived = []
        self.steady = self.socket()
        self.fresh = self.socket()
        self.listening = self.socket(PORT)
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)

    def socket(self, port=0):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("0.0.0.0", port))
        made.setblocking(port != 0)
        return made

    def listen(self):
        while True:
            data = self.listening.recv(256)
            came = now()
            if len(data) < PROBE.size or data[: len(MARK)] != MARK:
                continue
            _, sender, target, sent = PROBE.unpack(data[: PROBE.size])
            with self.lock:
                self.arrived.append([sender, target, sent, came])

    def send(self):
        turn = 0
        while True:
            turn += 1
            if turn % NEW_CONNECTION_EVERY == 0:
                self.fresh.close()
                self.fresh = self.socket()
            through = self.fresh if turn % 2 else self.steady
            for target, ip in list(self.targets.items()):
                self.probe(through, int(target), ip)
            time.sleep(INTERVAL)

    def probe(self, through, target, ip):
        try:
            through.sendto(PROBE.pack(MARK, self.own, target, now()), (ip, PORT))
        except OSError:
            # Unplugged, or nobody answers ARP: what is not sent is not counted.
            return
        with self.lock:
            self.sent[target] = self.sent.get(target, 0) + 1

    def report(self):
        while True:
            time.sleep(REPORT_INTERVAL)
            with self.lock:
                sent, arrived = self.sent, self.arrived
                self.sent, self.arrived = {}, []
            print(json.dumps({"sent": sent, "arrived": arrived}), flush=True)


def main():
    prober = Prober(int(sys.argv[1]))
    for work in (prober.listen, prober.send, prober.report):
        threading.Thread(target=ended_with_all, args=(work,), daemon=True).start()
    for line in sys.stdin:
        prober.targets = json.loads(line)["targets"]


def ended_with_all(work):
    """A thread that fails must not leave a prober that looks healthy."""
    try:
        work()
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


main()
