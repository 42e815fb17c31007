"""A node of a CAN bus behind an adapter that speaks LAWICEL's protocol, on the serial port that is named, with the bit
rate and, for FD frames, the one of the data phase: python-can, which shares no code with rig. Says `ready`, and then of
each frame what it is; and sends it back, with the lowest bit of its identifier turned and its data reversed."""

import select
import sys

from can import Message
from can.interfaces.slcan import slcanBus

PORT, BITRATES = sys.argv[1], [int(rate) for rate in sys.argv[2:]]


def words(frame):
    kinds = {"extended": frame.is_extended_id, "remote": frame.is_remote_frame, "fd": frame.is_fd}
    kinds["switch"] = frame.bitrate_switch
    kind = [name for name, so in kinds.items() if so]
    return " ".join([f"{frame.arbitration_id:X}", *kind, str(frame.dlc), bytes(frame.data).hex()]).strip()


def answer(frame):
    return Message(
        arbitration_id=frame.arbitration_id ^ 1,
        is_extended_id=frame.is_extended_id,
        is_remote_frame=frame.is_remote_frame,
        is_fd=frame.is_fd,
        bitrate_switch=frame.bitrate_switch,
        dlc=frame.dlc,
        data=None if frame.is_remote_frame else bytes(reversed(frame.data)),
        check=True,
    )


bus = slcanBus(PORT, bitrate=BITRATES[0], sleep_after_open=0)
if len(BITRATES) > 1:
    bus.set_bitrate(*BITRATES)
# The adapter answers commands in order, so that it has obeyed the others when it has told its version.
if bus.get_version(60) == (None, None):
    sys.exit("the adapter does not tell its version")
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    frame = bus.recv(0.01)
    if frame is not None:
        print(words(frame), flush=True)
        bus.send(answer(frame))
bus.shutdown()
