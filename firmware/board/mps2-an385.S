@ The flash algorithm of QEMU's mps2-an385: how a debugger programs the memory at 0x21000000 that is its flash.
@
@ It is called as CMSIS has it (Open-CMSIS-Pack, "flash programming algorithms"): arguments in r0 to r3, 0 in r0 for
@ success, return to a breakpoint. It needs no more than an ARMv6-M core. The memory is RAM; it is treated as a flash,
@ which is erased by the sector and in which programming only clears bits, so that a program that forgets to erase is
@ found out. mps2-an385.yaml holds what it assembles to, in base64, and the offsets of the functions; a test compares
@ them.

    .syntax unified
    .thumb
    .text

@ int Init(uint32_t address, uint32_t clock, uint32_t function)
@ int UnInit(uint32_t function)
    .global init
    .thumb_func
init:
    movs    r0, #0
    bx      lr

@ int EraseChip(void)
    .global erase_chip
    .thumb_func
erase_chip:
    ldr     r0, flash
    ldr     r1, flash_size
    b       fill

@ int EraseSector(uint32_t address)
    .global erase_sector
    .thumb_func
erase_sector:
    ldr     r1, sector_size
fill:
    movs    r2, #0
    mvns    r2, r2
0:  subs    r1, #4
    str     r2, [r0, r1]
    bne     0b
    movs    r0, #0
    bx      lr

@ int ProgramPage(uint32_t address, uint32_t size, const uint32_t *buffer)
    .global program_page
    .thumb_func
program_page:
    push    {r4, lr}
    adds    r1, #3
    lsrs    r1, r1, #2
    beq     2f
1:  ldr     r3, [r2]
    ldr     r4, [r0]
    ands    r3, r4
    str     r3, [r0]
    adds    r0, #4
    adds    r2, #4
    subs    r1, #1
    bne     1b
2:  movs    r0, #0
    pop     {r4, pc}

    .balign 4
flash:
    .word   0x21000000
flash_size:
    .word   0x01000000
sector_size:
    .word   0x1000
