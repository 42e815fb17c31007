/// What lies at address 0, from where the core starts: it goes on with what lies in flash, whatever that is, and sleeps
/// where the flash is erased.
///
/// The machine has RAM there, which its power takes with it; QEMU puts these bytes back at each reset. The code is
/// Thumb-2 of ARMv7-M, little endian:
///
/// ```text
///  0            .word 0x2000_0400       stack pointer, not used
///  4            .word 0x0000_0009       reset: Thumb code at 8
///  8  4ff00450  mov.w r0, 0x2100_0000   the flash, and its vectors
///  c  0649      ldr   r1, =0xE000_ED08  VTOR (ARMv7-M Architecture Reference Manual, B3.2.5)
///  e  0268      ldr   r2, [r0]          the program's stack pointer
/// 10  4368      ldr   r3, [r0, 4]       the program's reset handler
/// 12  dc07      lsls  r4, r3, 31
/// 14  05d0      beq   sleep             not Thumb code: no program
/// 16  5c1c      adds  r4, r3, 1
/// 18  03d0      beq   sleep             erased: no program
/// 1a  0860      str   r0, [r1]
/// 1c  82f30888  msr   msp, r2
/// 20  1847      bx    r3
/// 22  30bf      sleep: wfi
/// 24  fde7      b     sleep
/// 28            .word 0xE000_ED08
/// ```
pub const BOOT_ROM: [u8; 44] = [
    0x00, 0x04, 0x00, 0x20, 0x09, 0x00, 0x00, 0x00, 0x4F, 0xF0, 0x04, 0x50, 0x06, 0x49, 0x02, 0x68, 0x43, 0x68, 0xDC,
    0x07, 0x05, 0xD0, 0x5C, 0x1C, 0x03, 0xD0, 0x08, 0x60, 0x82, 0xF3, 0x08, 0x88, 0x18, 0x47, 0x30, 0xBF, 0xFD, 0xE7,
    0x00, 0x00, 0x08, 0xED, 0x00, 0xE0,
];
