//! The build of the program that fits the processor.
//!
//! How wide vector instructions are is settled when the program is compiled: the kernels are loops
//! that the compiler turns into them. What is handed out compiled is therefore two builds: one for
//! any x86-64, which is the command, and one for x86-64-v3 (AVX2 and FMA) in `libexec/`, which the
//! command becomes where the processor has that. A build from source is of one level alone
//! (`.cargo/config.toml` says which) and stops here where the processor lacks it.

use std::io::Write;
use std::process::ExitCode;

/// Set to `x86-64`, it keeps the build for any x86-64.
const LEVEL: &str = "MDSURROGATE_LEVEL";
/// Where the build for x86-64-v3 lies, seen from the folder that the command is in.
const BETTER: &str = "../libexec/mdsurrogate/x86-64-v3/mdsurrogate";

/// Becomes the build for x86-64-v3 where that is there and the processor can run it; says what to
/// do where this is that build and the processor cannot.
pub fn choose() -> Result<(), ExitCode> {
    let able = processor_is_v3();
    if cfg!(target_feature = "avx2") && !able {
        let _ = writeln!(
            std::io::stderr(),
            "error: this build needs a processor with AVX2 and FMA (since about 2015), which this \
             one is not\n  try: the released archive, whose command runs on any x86-64, or \
             RUSTFLAGS=-Ctarget-cpu=x86-64 cargo build --release"
        );
        return Err(ExitCode::from(4));
    }
    if !cfg!(target_feature = "avx2") && able && std::env::var_os(LEVEL).is_none() {
        become_better();
    }
    Ok(())
}

/// Replaces this process by the better build; returns where that is not there or cannot be run.
#[cfg(all(unix, target_arch = "x86_64"))]
fn become_better() {
    use std::os::unix::process::CommandExt;
    let Ok(here) = std::env::current_exe() else {
        return;
    };
    let Some(better) = here.parent().map(|folder| folder.join(BETTER)) else {
        return;
    };
    if better.is_file() {
        let mut words = std::env::args_os();
        let name = words.next().unwrap_or_else(|| "mdsurrogate".into());
        // it only returns where it failed, and this build can do the work too
        let _ = std::process::Command::new(better)
            .arg0(name)
            .args(words)
            .exec();
    }
}

#[cfg(not(all(unix, target_arch = "x86_64")))]
fn become_better() {
    let _ = BETTER;
}

/// Whether the processor and the system have AVX2 and FMA. The standard library's own question is
/// answered when compiling, where the build takes the answer for granted.
#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    unused_unsafe,
    reason = "asking the processor is safe on every x86-64, and newer compilers know"
)]
fn processor_is_v3() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    /// FMA, MOVBE, OSXSAVE and AVX in the answer of leaf 1.
    const FIRST: u32 = 1 << 12 | 1 << 22 | 1 << 27 | 1 << 28;
    /// BMI1, AVX2 and BMI2 in that of leaf 7.
    const SEVENTH: u32 = 1 << 3 | 1 << 5 | 1 << 8;
    // SAFETY: every x86-64 processor has the instruction.
    unsafe {
        let leaves = __cpuid(0).eax;
        leaves >= 7
            && __cpuid(1).ecx & FIRST == FIRST
            && __cpuid_count(7, 0).ebx & SEVENTH == SEVENTH
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn processor_is_v3() -> bool {
    false
}
