use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, SystemTime};

use rig_can::socketcan::FD_SIZE;
use socketcan::timestamp::{timespec_to_duration, timespec_to_system_time};

/// So many frames are taken with one system call.
const FRAMES: usize = 32;
const AT_MOST: libc::c_uint = 32;
/// Room for the control messages of a frame: three stamps and a counter, with their heads, in words of eight bytes.
const CONTROL: usize = 16;
/// `SCM_TIMESTAMPING` of `linux/socket.h` has the number of `SO_TIMESTAMPING`.
const STAMPS: i32 = libc::SO_TIMESTAMPING;

/// A frame as the kernel hands it over.
pub(super) struct Message<'a> {
    /// `struct can_frame` or `struct canfd_frame`.
    pub(super) bytes: &'a [u8],
    /// It is the echo of a frame that this socket sent.
    pub(super) own: bool,
    /// The kernel's stamp, by the wall clock.
    pub(super) kernel: Option<SystemTime>,
    /// The adapter's stamp, by its own clock.
    pub(super) adapter: Option<Duration>,
    /// How many frames the socket has dropped since it was opened, where it has dropped any.
    pub(super) dropped: Option<u32>,
}

/// Takes frames from a socket, many at a time.
///
/// The `socketcan` crate takes one frame a system call, and tells neither how many frames were dropped (`SO_RXQ_OVFL`)
/// nor whether a frame is the socket's own.
pub(super) struct Batch {
    frames: Box<[[u8; FD_SIZE]; FRAMES]>,
    controls: Box<[[u64; CONTROL]; FRAMES]>,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self { frames: Box::new([[0; FD_SIZE]; FRAMES]), controls: Box::new([[0; CONTROL]; FRAMES]) }
    }

    /// Takes what is there, without waiting; returns how many frames that were.
    #[expect(unsafe_code, reason = "recvmmsg and its control messages have no safe wrapper that keeps MSG_CONFIRM")]
    pub(super) fn receive(&mut self, socket: BorrowedFd, mut each: impl FnMut(Message)) -> io::Result<usize> {
        // SAFETY: null pointers and zeros are valid in both structures.
        let (mut vectors, mut headers): ([libc::iovec; FRAMES], [libc::mmsghdr; FRAMES]) =
            unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        let buffers = self.frames.iter_mut().zip(self.controls.iter_mut());
        for ((vector, header), (frame, control)) in vectors.iter_mut().zip(&mut headers).zip(buffers) {
            *vector = libc::iovec { iov_base: frame.as_mut_ptr().cast(), iov_len: FD_SIZE };
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = size_of_val(control);
        }
        // SAFETY: the kernel writes into the buffers that the headers name, which outlive the call.
        let count = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), AT_MOST, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (header, frame) in headers.iter().zip(self.frames.iter()).take(count) {
            let length = usize::try_from(header.msg_len).unwrap_or(FD_SIZE).min(FD_SIZE);
            // SAFETY: the kernel has filled in this header and the control messages that it names.
            each(unsafe { message(&header.msg_hdr, &frame[..length]) });
        }
        Ok(count)
    }
}

/// Reads a header's control messages.
///
/// # Safety
/// The kernel must have filled the header in, and its control buffer must still be there.
#[expect(unsafe_code, reason = "control messages are read through pointers")]
unsafe fn message<'a>(header: &libc::msghdr, bytes: &'a [u8]) -> Message<'a> {
    let own = header.msg_flags & libc::MSG_CONFIRM != 0;
    let mut message = Message { bytes, own, kernel: None, adapter: None, dropped: None };
    // SAFETY: as the caller promises; `CMSG_NXTHDR` stays inside of the control buffer.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while let Some(head) = control.as_ref() {
            let data = libc::CMSG_DATA(control);
            match (head.cmsg_level, head.cmsg_type) {
                (libc::SOL_SOCKET, STAMPS) => {
                    let [kernel, _, adapter]: [libc::timespec; 3] = data.cast::<[libc::timespec; 3]>().read_unaligned();
                    let given = |stamp: &libc::timespec| stamp.tv_sec != 0 || stamp.tv_nsec != 0;
                    message.kernel = given(&kernel).then(|| timespec_to_system_time(kernel));
                    message.adapter = given(&adapter).then(|| timespec_to_duration(adapter));
                }
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => message.dropped = Some(data.cast::<u32>().read_unaligned()),
                _ => {}
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    message
}

/// How many frames a socket has dropped since it was opened, whether or not one came after them.
#[expect(unsafe_code, reason = "SO_MEMINFO has no safe wrapper")]
pub(super) fn dropped(socket: BorrowedFd) -> io::Result<u32> {
    /// `SK_MEMINFO_DROPS` and `SK_MEMINFO_VARS` of `linux/sock_diag.h`.
    const DROPS: usize = 8;
    const VALUES: usize = 9;
    let mut values = [0_u32; VALUES];
    let mut length = libc::socklen_t::try_from(size_of_val(&values)).map_err(io::Error::other)?;
    // SAFETY: the kernel writes no more than `length` bytes into the array.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            values.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(values[DROPS]) } else { Err(io::Error::last_os_error()) }
}
