"""Sends and captures raw frames on network devices, told what to do by JSON lines on standard input.

{"open": DEVICE}, {"send": DEVICE, "frame": HEX}. Every frame that comes in with a mark (MARK, label,
NUL) is reported by {"seen": LABEL, "on": DEVICE}. Python, because AF_PACKET is out of Node's reach.
"""
import json
import selectors
import socket
import sys

MARK = b"patchbay-e2e:"
OUTGOING = 4  # PACKET_OUTGOING of linux/if_packet.h
EVERYTHING = 3  # ETH_P_ALL

selector = selectors.DefaultSelector()
sockets = {}


def open_device(device):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERYTHING))
    raw.bind((device, EVERYTHING))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    raw.setblocking(False)
    sockets[device] = raw
    selector.register(raw, selectors.EVENT_READ, device)
    print(json.dumps({"opened": device}), flush=True)


def capture(device):
    while True:
        try:
            frame, address = sockets[device].recvfrom(65536)
        except BlockingIOError:
            return
        at = frame.find(MARK)
        if address[2] == OUTGOING or at < 0:
            continue
        label = frame[at + len(MARK):].split(b"\0")[0].decode("ascii", "replace")
        print(json.dumps({"seen": label, "on": device}), flush=True)


def obey(command):
    if "open" in command:
        open_device(command["open"])
    else:
        sockets[command["send"]].send(bytes.fromhex(command["frame"]))


def main():
    lines = sys.stdin.fileno()
    selector.register(lines, selectors.EVENT_READ, None)
    rest = b""
    while True:
        for key, _ in selector.select():
            if key.data is not None:
                capture(key.data)
                continue
            data = sys.stdin.buffer.raw.read(65536)
            if not data:
                return
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                obey(json.loads(line))


main()
