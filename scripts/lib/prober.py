"""Sends packets from one workload to another and says when the first answer came back.

Usage: prober.py NETNS=ADDRESS...    in one process, so that there is one clock and one scheduler

Commands, one a line on standard input, each answered by one line on standard output:
  watch FROM TO SECONDS     `watching` at once, then `answered NANOSECONDS` (CLOCK_MONOTONIC, the
                            clock of Node's process.hrtime) or `silent`
  quiet FROM TO SECONDS     `quiet` as soon as answers have stayed away for a while, or `noisy`
"""
import ctypes
import select
import socket
import struct
import sys
import time

PORT = 4789 + 1000
INTERVAL = 0.0005
QUIET_FOR = 0.05
libc = ctypes.CDLL(None, use_errno=True)


def bound_socket(netns, address):
    """A UDP socket that belongs to a network namespace, wherever this process goes afterwards."""
    with open(f"/var/run/netns/{netns}") as namespace:
        if libc.setns(namespace.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), f"setns {netns}")
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind((address, PORT))
    return made


class Prober:
    def __init__(self, workloads):
        self.addresses = [address for _, address in workloads]
        self.sockets = [bound_socket(*workload) for workload in workloads]
        self.number = 0

    def answers(self, source, target, limit):
        """Sends at a steady pace; yields when it got an answer, and None after a pace without."""
        deadline = time.monotonic() + limit
        self.number += 1
        round_number = self.number
        while time.monotonic() < deadline:
            self.send(source, target, b"?" + struct.pack("!Q", round_number))
            yield self.answer_within(source, target, round_number)

    def send(self, source, target, payload):
        try:
            self.sockets[source].sendto(payload, (self.addresses[target], PORT))
        except OSError:
            pass  # the gateway is not resolved yet, or a queue is full: the next one will do

    def answer_within(self, source, target, round_number):
        """The target's echo is made here as well: one process plays both workloads."""
        until = time.monotonic() + INTERVAL
        near, far = self.sockets[source], self.sockets[target]
        while (rest := until - time.monotonic()) > 0:
            for ready in select.select([near, far], [], [], rest)[0]:
                try:
                    payload, sender = ready.recvfrom(64)
                except OSError:
                    continue
                if ready is far and payload[:1] == b"?":
                    self.send(target, source, b"!" + payload[1:])
                elif ready is near and payload == b"!" + struct.pack("!Q", round_number):
                    return time.monotonic_ns()
        return None

    def watch(self, source, target, limit):
        say("watching")
        for answered in self.answers(source, target, limit):
            if answered is not None:
                return f"answered {answered}"
        return "silent"

    def quiet(self, source, target, limit):
        last = time.monotonic()
        for answered in self.answers(source, target, limit):
            now = time.monotonic()
            if answered is not None:
                last = now
            elif now - last > QUIET_FOR:
                return "quiet"
        return "noisy"


def say(text):
    print(text, flush=True)


def main():
    prober = Prober([argument.split("=") for argument in sys.argv[1:]])
    say("ready")
    for line in sys.stdin:
        verb, source, target, limit = line.split()
        say({"watch": prober.watch, "quiet": prober.quiet}[verb](int(source), int(target), float(limit)))


if __name__ == "__main__":
    main()
