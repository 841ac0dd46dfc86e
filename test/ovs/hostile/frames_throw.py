"""Sends raw frames, one a line in hex on standard input, out of a device: frames_throw.py DEVICE.

Prints how many were sent: what is longer than the device takes is left out.
"""
import errno
import socket
import sys


def main(device):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.bind((device, 0))
    sent = 0
    for line in sys.stdin:
        try:
            raw.send(bytes.fromhex(line))
            sent += 1
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
    print(sent)


main(sys.argv[1])
