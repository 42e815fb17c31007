"""Runs a program that may not open CAN sockets, as a sandbox would have it: a seccomp filter has the kernel answer
EPERM to socket(AF_CAN, ...)."""

import ctypes
import errno
import os
import platform
import struct
import sys

AF_CAN = 29
SYSCALL_OF_SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
# linux/filter.h, linux/seccomp.h, linux/prctl.h
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
# Of struct seccomp_data: the number of the call, and the lower half of its first argument.
NUMBER, FAMILY = 0, 16

PROGRAM = [
    (LOAD, 0, 0, NUMBER),
    (JUMP_IF_EQUAL, 0, 3, SYSCALL_OF_SOCKET),
    (LOAD, 0, 0, FAMILY),
    (JUMP_IF_EQUAL, 0, 1, AF_CAN),
    (RETURN, 0, 0, ERRNO | errno.EPERM),
    (RETURN, 0, 0, ALLOW),
]


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_char_p)]


libc = ctypes.CDLL(None, use_errno=True)
program = b"".join(struct.pack("=HBBI", *step) for step in PROGRAM)
chosen = Filter(len(PROGRAM), program)
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(chosen)):
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
