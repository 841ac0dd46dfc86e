"""Reports the frames that come in by some devices, one JSON line each: {"device", "frame"} (hex).

  frames_watch.py stack DEVICE...      what the network stack is handed: behind the filters of tc
  frames_watch.py wire DEVICE...       whatever comes in, before any filter; without a DEVICE by
                                       all, also by those that do not exist yet
  frames_watch.py services DEVICE...   what programs get: IP payloads that were delivered locally

A line {"ready": true} comes first. Python, because such sockets are out of reach of Node.
"""
import json
import selectors
import socket
import struct
import sys

OUTGOING, LOOPBACK = 4, 5  # PACKET_OUTGOING and PACKET_LOOPBACK of linux/if_packet.h
ALL = 3  # ETH_P_ALL
# IPv4, ARP, IPv6, VLAN, QinQ, MPLS, PPPoE, EAPOL, LLDP, slow, loop, experiment, old QinQ, RARP,
# TEB, NSH; and what Linux calls frames with a length instead of a type.
TYPES = (0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8, 0x8847, 0x8848, 0x8863, 0x8864, 0x888E, 0x88CC,
         0x8809, 0x9000, 0x88B5, 0x9100, 0x8035, 0x6558, 0x894F, 0x0001, 0x0004)
PROTOCOLS = (0, 1, 2, 4, 6, 17, 41, 47, 50, 51, 58, 132, 136, 253)
PKTINFO = 8  # IP_PKTINFO


def packet_socket(protocol, device):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
    if device:
        raw.bind((device, protocol))
    return raw


def read_packet(raw):
    frame, address = raw.recvfrom(65536)
    return None if address[2] in (OUTGOING, LOOPBACK) else (address[0], frame)


def delivered_socket(protocol):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
    raw.setsockopt(socket.IPPROTO_IP, PKTINFO, 1)
    return raw


def delivered_socket6(protocol):
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, protocol)
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    return raw


def read_delivered(raw):
    """The device is the one that it came in by: the index in IP_PKTINFO or IPV6_PKTINFO."""
    data, ancillary, _, _ = raw.recvmsg(65536, 256)
    for level, _, info in ancillary:
        at = 0 if level == socket.IPPROTO_IP else 16
        try:
            return socket.if_indextoname(struct.unpack_from("i", info, at)[0]), data
        except OSError:
            return None  # the device has gone meanwhile
    return None


def sockets(mode, devices):
    if mode == "services":
        for protocol in PROTOCOLS:
            yield delivered_socket(protocol or 255), read_delivered
            yield delivered_socket6(protocol or 255), read_delivered
        return
    for device in devices or [None]:
        for protocol in (ALL,) if mode == "wire" else TYPES:
            yield packet_socket(protocol, device), read_packet


def main(mode, *devices):
    selector = selectors.DefaultSelector()
    for raw, read in sockets(mode, devices):
        selector.register(raw, selectors.EVENT_READ, read)
    print(json.dumps({"ready": True}), flush=True)
    while True:
        for key, _ in selector.select():
            found = key.data(key.fileobj)
            if found and (not devices or found[0] in devices):
                print(json.dumps({"device": found[0], "frame": found[1].hex()}), flush=True)


main(*sys.argv[1:])
