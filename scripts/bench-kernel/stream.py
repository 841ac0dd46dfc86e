"""Sends numbered datagrams at a steady pace from one workload to another, and notes what arrives.

Usage: stream.py INTERVAL NETNS=ADDRESS NETNS=ADDRESS [NETNS]

The second workload answers each, so that the connection is known as answered. What a third
namespace is shown of them is noted, too: it is nobody's business there.

Commands, one a line on standard input, each answered by one line on standard output; all times are
of CLOCK_MONOTONIC, the clock of Node's process.hrtime, in nanoseconds:
  flows SECONDS    `flows` as soon as a datagram arrives that was sent after the command, or `silent`
  silent SECONDS   `silent` once none has arrived for 100 ms, or `flows`
  end              JSON: sent (times), arrived ([number, time] each), strays (times); and ends
"""
import json
import select
import socket
import struct
import sys
import time

from namespace import enter

PORT = 5790
SILENCE = 0.1
ALL_PROTOCOLS = 3


def bound_socket(netns, address):
    enter(netns)
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind((address, PORT))
    return made


def listening_socket(netns):
    enter(netns)
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    made.setblocking(False)
    made.bind(("eth0", 0))
    return made


class Stream:
    def __init__(self, interval, ends, stranger):
        self.interval = interval
        self.target = (ends[1][1], PORT)
        self.near, self.far = (bound_socket(*end) for end in ends)
        self.stranger = listening_socket(stranger) if stranger else None
        self.sent, self.arrived, self.strays = [], [], []
        self.due = time.monotonic()

    def turn(self):
        """Sends one datagram, and takes what comes until the next is due."""
        self.send(self.near, struct.pack("!cQ", b"?", len(self.sent)), self.target)
        self.sent.append(time.monotonic_ns())
        self.due = max(self.due + self.interval, time.monotonic())
        listened = [each for each in (self.near, self.far, self.stranger) if each]
        while (rest := self.due - time.monotonic()) > 0:
            for ready in select.select(listened, [], [], rest)[0]:
                self.take(ready)

    def send(self, from_socket, payload, to):
        try:
            from_socket.sendto(payload, to)
        except OSError:
            pass  # a device may be gone, a queue full, a neighbour unknown: it does not arrive then

    def take(self, ready):
        try:
            payload, sender = ready.recvfrom(2048)
        except OSError:
            return
        if ready is self.far:
            kind, number = struct.unpack("!cQ", payload)
            self.arrived.append((number, time.monotonic_ns()))
            self.send(self.far, b"!" + payload[1:], sender)
        elif ready is self.stranger and struct.pack("!HH", PORT, PORT) in payload:
            self.strays.append(time.monotonic_ns())

    def flows(self, limit):
        first, deadline = len(self.sent), time.monotonic() + limit
        while time.monotonic() < deadline:
            self.turn()
            if self.arrived and self.arrived[-1][0] >= first:
                return "flows"
        return "silent"

    def silent(self, limit):
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            self.turn()
            if time.monotonic_ns() - self.arrived[-1][1] > SILENCE * 1e9:
                return "silent"
        return "flows"

    def end(self):
        return json.dumps({"sent": self.sent, "arrived": self.arrived, "strays": self.strays})


def main():
    ends = [argument.split("=") for argument in sys.argv[2:4]]
    stream = Stream(float(sys.argv[1]), ends, sys.argv[4] if len(sys.argv) > 4 else None)
    print("ready", flush=True)
    while True:
        stream.turn()
        if not select.select([sys.stdin], [], [], 0)[0]:
            continue
        verb, *limit = sys.stdin.readline().split() or ["end"]
        if verb == "end":
            print(stream.end(), flush=True)
            return
        print({"flows": stream.flows, "silent": stream.silent}[verb](float(limit[0])), flush=True)


main()
