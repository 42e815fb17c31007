//! What the machine grants the wire plane.
