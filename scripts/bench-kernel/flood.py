"""Floods one host with small datagrams of another, and counts what reaches its device.

Usage: flood.py NETNS=ADDRESS NETNS=ADDRESS SECONDS SIZE

Prints JSON: sent, arrived, seconds, cpu (seconds that this process computed, which is all of the
way: the kernel carries a datagram from the sender to the receiver's socket within the call that
sends it). The receiver never reads, so that its socket costs the same whatever the path.
"""
import ctypes
import json
import socket
import sys
import time

from namespace import enter, libc

PORT = 5789
BATCH = 64
LIMIT = 10


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr of 64-bit Linux, its padding said by hand"""
    _fields_ = [
        ("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("pad1", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(IoVec)), ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int), ("pad2", ctypes.c_uint32),
        ("sent", ctypes.c_uint32), ("pad3", ctypes.c_uint32),
    ]


def bound_socket(netns, address):
    enter(netns)
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.bind((address, PORT))
    made.settimeout(0.2)
    return made


def arrived_packets():
    """Of the namespace that this thread has entered last: the receiver's."""
    with open("/proc/thread-self/net/dev") as devices:
        for line in devices:
            name, _, counters = line.partition(":")
            if name.strip() == "eth0":
                return int(counters.split()[1])
    raise LookupError("no eth0")


def talk(near, far):
    """To and fro, so that the connection is known to conntrack as answered."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            near.send(b"?")
            far.recv(64)
            far.send(b"!")
            near.recv(64)
            return
        except OSError:
            continue
    raise TimeoutError("no datagram gets to and fro")


def messages(size):
    payload = ctypes.create_string_buffer(size)
    vector = IoVec(ctypes.addressof(payload), size)
    made = (Message * BATCH)()
    for each in made:
        each.vectors = ctypes.pointer(vector)
        each.vector_count = 1
    return made, (payload, vector)


def flood(near, seconds, size):
    batch, _kept = messages(size)
    handle, sent = near.fileno(), 0
    begun, computed = time.monotonic(), time.process_time()
    while (now := time.monotonic()) < begun + seconds:
        done = libc.sendmmsg(handle, batch, BATCH, 0)
        if done < 0:
            raise OSError(ctypes.get_errno(), "sendmmsg")
        sent += done
    return {"sent": sent, "seconds": now - begun, "cpu": time.process_time() - computed}


def main():
    ends = [argument.split("=") for argument in sys.argv[1:3]]
    near, far = (bound_socket(*end) for end in ends)
    near.connect((ends[1][1], PORT))
    far.connect((ends[0][1], PORT))
    talk(near, far)
    near.setblocking(True)
    before = arrived_packets()
    found = flood(near, float(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps({**found, "arrived": arrived_packets() - before}))


main()
