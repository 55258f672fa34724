//! An allocation that fails ends the program with a message and the exit code of a device or memory
//! that failed. The standard library's own end is an abort: a core dump, and a code that looks like
//! a fault of the program. It lets nobody else decide (`set_alloc_error_hook` is not stable), so
//! the allocator does.

#![allow(unsafe_code, reason = "an allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;

/// Exit code of [`mdsurrogate::Error::Device`].
const DEVICE: i32 = 4;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// The system's allocator.
struct Allocator;

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: what the caller keeps to is what the system's allocator wants.
        checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above; memory of this allocator is the system's.
        checked(unsafe { System.realloc(memory, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) };
    }
}

fn checked(memory: *mut u8, bytes: usize) -> *mut u8 {
    if memory.is_null() {
        out_of_memory(bytes);
    }
    memory
}

/// Says it without another allocation, and ends the process at once: handlers of an orderly exit
/// might wait for a thread that waits for memory.
#[cold]
fn out_of_memory(bytes: usize) -> ! {
    let mut line = [0; 200];
    let mut rest = &mut line[..];
    let _ = writeln!(
        rest,
        "error: out of memory: {bytes} bytes are not to be had\n  try: fewer --replicas or \
         --threads, or smaller batches"
    );
    let unused = rest.len();
    let _ = std::io::stderr().write_all(&line[..line.len() - unused]);
    signal_hook::low_level::exit(DEVICE)
}
