"""A supply of one output that speaks SCPI over TCP, written from SCPI 1999 (volume 1, sections 5 and 7; volume 2,
section 21.8) alone. Says `ready PORT`, and then each command that it is given."""

import socketserver
import sys
import threading
import time

# The output's voltage follows a command after so long, as a real one's does.
TRAVEL = 0.002


class Supply:
    """The output, its voltage, and the queue of errors."""

    def __init__(self):
        self.errors = []
        self.commanded = (True, 0.0)
        self.before = True

    def live(self):
        """Whether the output has voltage now."""
        level, at = self.commanded
        return level if time.monotonic() - at >= TRAVEL else self.before

    def answer(self, line):
        """What a line is answered with; None where it is a command and no question."""
        header, _, rest = line.partition(" ")
        match header.upper():
            case "*IDN?":
                return "Peer,One output,0,1.0"
            case "SYST:ERR?" | "SYSTEM:ERROR?":
                return self.errors.pop(0) if self.errors else '0,"No error"'
            case "MEAS:VOLT?" if not rest:
                return "2.2998E+02" if self.live() else "1.2E-01"
            case "OUTP" | "OUTPUT" if rest.upper() in ("ON", "OFF", "1", "0"):
                self.before = self.live()
                self.commanded = (rest.upper() in ("ON", "1"), time.monotonic())
            case "OUTP" | "OUTPUT" | "MEAS:VOLT?":
                self.errors.append('-222,"Data out of range"')
            case _:
                self.errors.append('-113,"Undefined header"')
        return None


def serve(supply):
    """Serves a supply in a thread of its own and returns its TCP port."""

    class Line(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                command = line.decode("ascii", "replace").strip()
                print(command, flush=True)
                answer = supply.answer(command)
                if answer is not None:
                    self.wfile.write(f"{answer}\n".encode())

    socketserver.ThreadingTCPServer.daemon_threads = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


if __name__ == "__main__":
    print("ready", serve(Supply()), flush=True)
    # It lives as long as whoever started it.
    sys.stdin.read()
