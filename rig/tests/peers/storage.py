"""A storage controller on the serial port that is named, with the supply that makes its feeder. It speaks the reference
frame as its documentation describes it: the layout, COBS (Cheshire and Baker, 1999) and CRC-32/ISO-HDLC; none of rig's
code. Says `ready PORT`, where PORT is the supply's, and at its end `received N sent N`, in bytes."""

import struct
import sys
import threading
import time
import zlib

import serial
import supply

VERSION = 1
DAC_SUB, STORAGE, SCADA_FEP, LMS = 1, 4, 7, 9
BOOT, STATUS_CMD, STATUS_RESP = 0x01, 0x20, 0x21
DISCHARGE_CMD, DISCHARGE_ACK, CHARGE_RATE_CMD, CHARGE_RATE_ACK = 0x22, 0x23, 0x24, 0x25
IN_ISLAND, OUT_OF_ISLAND = 0x28, 0x29
ACKS = {DISCHARGE_CMD: DISCHARGE_ACK, CHARGE_RATE_CMD: CHARGE_RATE_ACK}
NORMAL, ISLANDED = 0, 1


def cobs(payload):
    """COBS: each run up to a zero is led by its length and one; 254 bytes without a zero by 255."""
    out = bytearray()
    for index, run in enumerate(runs := payload.split(b"\0")):
        while len(run) >= 254:
            out += b"\xff" + run[:254]
            run = run[254:]
            if not run and index == len(runs) - 1:
                return bytes(out)
        out += bytes([len(run) + 1]) + run
    return bytes(out)


def uncobs(encoded):
    """The payload, or None where no encoder writes such bytes."""
    out = bytearray()
    while encoded:
        code, run = encoded[0], encoded[1 : encoded[0]]
        if code == 0 or len(run) != code - 1:
            return None
        out += run
        encoded = encoded[code:]
        if encoded and code != 255:
            out.append(0)
    return bytes(out)


class Storage:
    """What the controller knows, and its line."""

    def __init__(self, line, feeder):
        self.line, self.feeder = line, feeder
        self.sequence, self.islands, self.last_setting, self.watts = 0, 0, 0, 0
        self.mode = NORMAL
        self.received, self.sent = 0, 0
        self.started = time.monotonic_ns()

    def send(self, kind, destination, correlation, body):
        self.sequence = (self.sequence + 1) & 0xFFFF
        stamp = time.monotonic_ns() - self.started
        header = struct.pack("<BBBBHHQ", VERSION, kind, STORAGE, destination, self.sequence, correlation, stamp)
        payload = header + body
        self.sent += self.line.write(cobs(payload + struct.pack("<I", zlib.crc32(payload))) + b"\0")

    def state(self, age):
        live = self.feeder.live()
        return struct.pack(
            "<BBHHiHIIIIH",
            *(self.mode, live, 1, self.last_setting, self.watts, 500, 0, 230_000, 50_000, age // 1000, self.islands),
        )

    def take(self, chunk):
        """A chunk between two zeros: a command, or nothing that is understood."""
        payload = uncobs(chunk)
        if payload is None or len(payload) != 25 or zlib.crc32(payload[:-4]) != struct.unpack("<I", payload[-4:])[0]:
            return
        version, kind, source, destination, sequence, _, _ = struct.unpack("<BBBBHHQ", payload[:16])
        if (version, destination) != (VERSION, STORAGE):
            return
        if kind == STATUS_CMD:
            self.send(STATUS_RESP, source, sequence, self.state(0))
        elif kind in ACKS:
            value, _ = struct.unpack("<iB", payload[16:21])
            self.watts, self.last_setting = value if kind == DISCHARGE_CMD else -value, sequence
            self.send(ACKS[kind], source, sequence, struct.pack("<iB", value, 0))

    def sense(self):
        """Tells of an island when the feeder has fallen, and of its end when it is back."""
        mode = NORMAL if self.feeder.live() else ISLANDED
        if mode == self.mode:
            return
        self.mode = mode
        self.islands += mode == ISLANDED
        for destination in (DAC_SUB, SCADA_FEP, LMS):
            self.send(IN_ISLAND if mode == ISLANDED else OUT_OF_ISLAND, destination, self.islands, self.state(0))

    def run(self, end):
        self.send(BOOT, DAC_SUB, 1, self.state(0))
        pending = b""
        while not end.is_set():
            self.sense()
            got = self.line.read(max(1, self.line.in_waiting))
            self.received += len(got)
            *chunks, pending = (pending + got).split(b"\0")
            for chunk in filter(None, chunks):
                self.take(chunk)


def main():
    feeder, end = supply.Supply(), threading.Event()
    storage = Storage(serial.Serial(sys.argv[1], 115200, timeout=0.001), feeder)
    print("ready", supply.serve(feeder), flush=True)
    thread = threading.Thread(target=storage.run, args=(end,))
    thread.start()
    # It lives as long as whoever started it.
    sys.stdin.read()
    end.set()
    thread.join()
    print("received", storage.received, "sent", storage.sent, flush=True)


main()
