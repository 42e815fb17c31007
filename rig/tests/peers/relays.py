"""A relay board of 16 Modbus RTU coils, unit 1, on the serial port that is named: pymodbus, which shares no code
with rig. Says `ready`, and then each request that it is given."""

import logging
import sys

from pymodbus import pymodbus_apply_logging_config
from pymodbus.server import StartSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

COILS = 16


def tell(sending, pdu):
    if not sending:
        print(f"unit {pdu.dev_id}, function {pdu.function_code}, address {pdu.address}, {pdu.bits}", flush=True)
    return pdu


def bits(count):
    return [SimData(0, values=[False] * count, datatype=DataType.BITS)]


# A request for a unit that is not there is part of a test, and nothing to log.
pymodbus_apply_logging_config(logging.CRITICAL)
# Coils, discrete inputs, holding registers, input registers: a board has coils, and each block must have something.
blocks = (bits(COILS), bits(1), [SimData(0, values=0)], [SimData(0, values=0)])
StartSerialServer(
    context=SimDevice(id=1, simdata=blocks),
    port=sys.argv[1],
    baudrate=9600,
    trace_connect=lambda connected: print("ready" if connected else "gone", flush=True),
    trace_pdu=tell,
)
