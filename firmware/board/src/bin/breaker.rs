//! The breaker relay as a program of its own.
#![no_std]
#![no_main]

rig_board::program!(Breaker);
