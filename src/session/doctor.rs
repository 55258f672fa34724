//! What the program finds of the machine that it is on, and what is wrong with it.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::{Backend, Completion, Jumps, MOST_THREADS, Options, Session};
use crate::{Error, Result};

/// The protein of the trial: four residues.
const PEPTIDE: &str = include_str!("../../data/structures/akle.pdb");
/// Written to measure the folder, bytes.
const WRITTEN: usize = 16 << 20;
/// Below this the folder is slow, MB/s: a run waits for its checkpoints.
const SLOW: f64 = 10.0;
/// Below this much free memory, GiB, proteins of a few hundred residues may not fit.
const LITTLE: f64 = 1.0;

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// The program works, but slower or not everywhere.
    Poor,
    /// The program cannot work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// What is there.
    pub found: String,
    /// Whether that is well.
    pub verdict: Verdict,
    /// What is to be done about it; empty where nothing is.
    pub mend: String,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Finding {
            what,
            found: found.into(),
            verdict: Verdict::Good,
            mend: String::new(),
        }
    }

    fn wrong(self, verdict: Verdict, mend: impl Into<String>) -> Self {
        Finding {
            verdict,
            mend: mend.into(),
            ..self
        }
    }
}

/// Looks at the machine, and at `folder`, where runs would write. Takes a few seconds: a jump of a
/// tetrapeptide is made on each engine that there is hardware for.
pub fn doctor(folder: &Path) -> Vec<Finding> {
    let mut findings = vec![program(), processor(), threads(), memory()];
    let all = super::devices();
    findings.extend(devices(&all));
    findings.push(engine("CPU engine", Backend::Cpu));
    // on a software device the trial would be 15 s of compiling shaders, for what no run uses
    if all.iter().any(|device| is_hardware(device)) {
        findings.push(engine("GPU engine", Backend::Gpu));
    }
    findings.push(disk(folder));
    findings
}

fn program() -> Finding {
    let mut parts = vec![format!(
        "mdsurrogate {} for {} on {}",
        crate::version(),
        std::env::consts::ARCH,
        std::env::consts::OS
    )];
    parts.push(
        if cfg!(feature = "gpu") {
            "GPU engine"
        } else {
            "no GPU engine"
        }
        .to_owned(),
    );
    if cfg!(feature = "gpu") {
        parts.push(if cfg!(has_vkfft) { "VkFFT" } else { "no VkFFT" }.to_owned());
    }
    Finding::good("program", parts.join(", "))
}

fn processor() -> Finding {
    let name = field_of("/proc/cpuinfo", "model name").unwrap_or("a processor".to_owned());
    #[cfg(target_arch = "x86_64")]
    {
        let features = [
            ("AVX2", is_x86_feature_detected!("avx2")),
            ("FMA", is_x86_feature_detected!("fma")),
            ("AVX-512", is_x86_feature_detected!("avx512f")),
        ];
        let there: Vec<&str> = features.iter().filter(|f| f.1).map(|f| f.0).collect();
        let level = if cfg!(target_feature = "avx2") {
            "x86-64-v3"
        } else {
            "any x86-64"
        };
        let words = format!("{name} ({}); built for {level}", there.join(", "));
        let found = Finding::good("processor", words);
        if cfg!(target_feature = "avx2") {
            return found;
        }
        if features[0].1 && features[1].1 {
            return found.wrong(
                Verdict::Poor,
                "this build is for any x86-64, a few times slower than need be here: the released \
                 archive unpacked whole, or RUSTFLAGS=-Ctarget-cpu=x86-64-v3 cargo install",
            );
        }
        found.wrong(
            Verdict::Poor,
            "a processor with AVX2 and FMA (since about 2015) is a few times as fast",
        )
    }
    #[cfg(not(target_arch = "x86_64"))]
    Finding::good("processor", name)
}

fn threads() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let found = format!(
        "{} of {cores} that this process may use",
        rayon::current_num_threads()
    );
    let found = Finding::good("threads", found);
    match std::env::var("RAYON_NUM_THREADS") {
        Ok(text) => match text.trim().parse::<usize>() {
            Ok(threads) if threads <= cores.min(MOST_THREADS) => found,
            Ok(_) => found.wrong(
                Verdict::Poor,
                format!("RAYON_NUM_THREADS={text} asks for more than there are: unset it"),
            ),
            Err(_) => found.wrong(
                Verdict::Poor,
                format!("RAYON_NUM_THREADS={text} is no number and is ignored: unset it"),
            ),
        },
        Err(_) => found,
    }
}

fn memory() -> Finding {
    let gib = |text: String| -> Option<f64> {
        let kib: f64 = text.split_whitespace().next()?.parse().ok()?;
        Some(kib / f64::from(1 << 20))
    };
    let of = |name: &str| field_of("/proc/meminfo", name).and_then(gib);
    let (Some(all), Some(free)) = (of("MemTotal"), of("MemAvailable")) else {
        return Finding::good("memory", "the system does not say");
    };
    let mut words = format!("{free:.1} GiB free of {all:.1}");
    let mut least = free;
    // what a container or a batch job may use
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
    if let Ok(bytes) = limit.trim().parse::<f64>() {
        let limit = bytes / f64::from(1 << 30);
        words += &format!(", {limit:.1} for this process's group");
        least = least.min(limit);
    }
    let found = Finding::good("memory", words);
    if least >= LITTLE {
        return found;
    }
    found.wrong(Verdict::Poor, "free some, or ask the scheduler for more")
}

fn is_hardware(device: &str) -> bool {
    !device.contains("(software;")
}

/// The GPUs, one finding each.
fn devices(all: &[String]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = all
        .iter()
        .map(|device| Finding::good("GPU", device.as_str()))
        .collect();
    if cfg!(feature = "gpu") && !all.iter().any(|device| is_hardware(device)) {
        findings.push(no_hardware(Path::new("/")));
    }
    findings
}

/// Why no GPU was found: whether one is there that Vulkan does not reach, as the files below `root`
/// tell.
fn no_hardware(root: &Path) -> Finding {
    let nodes = std::fs::read_dir(root.join("dev/dri"))
        .into_iter()
        .flatten();
    let mut nodes = nodes.flatten().map(|entry| entry.path());
    let node = nodes.find(|path| path.to_string_lossy().contains("renderD"));
    let closed = |node: &Path| {
        let opened = File::options().read(true).write(true).open(node);
        opened.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
    };
    let (found, mend) = if root.join("proc/driver/nvidia/version").is_file() {
        (
            "NVIDIA's, without Vulkan here: the CPU engine is used".to_owned(),
            "the driver's part for Vulkan (Debian: nvidia-vulkan-icd, Ubuntu: \
             libnvidia-gl-VERSION) and libvulkan1; in a container \
             NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics",
        )
    } else if let Some(node) = node.filter(|node| closed(node)) {
        (
            format!(
                "one that may not be opened ({}): the CPU engine is used",
                node.display()
            ),
            "sudo usermod -aG render,video $USER, and log in again",
        )
    } else {
        (
            "none but the CPU, whose engine is used".to_owned(),
            "for a GPU, a driver with Vulkan: the vendor's, or the Debian package \
             mesa-vulkan-drivers; in a container, the device handed in",
        )
    };
    Finding::good("GPU", found).wrong(Verdict::Poor, mend)
}

/// One jump of the tetrapeptide, the model loaded.
fn engine(what: &'static str, backend: Backend) -> Finding {
    let trial = || -> Result<f64> {
        let file = tempfile::Builder::new().suffix(".pdb").tempfile();
        let mut file = file.map_err(|error| Error::writing(std::env::temp_dir(), &error))?;
        let written = file.write_all(PEPTIDE.as_bytes());
        written.map_err(|error| Error::writing(file.path(), &error))?;
        let structure = Completion::default().load(file.path())?.structure;
        let options = Options {
            backend,
            jumps: Jumps {
                relax: Some(0),
                ..Jumps::default()
            },
            ..Options::default()
        };
        let mut frames = vec![structure.frame.clone()];
        let mut session = Session::of(structure, &options)?;
        session.step(&mut frames)?;
        let clock = Instant::now();
        session.step(&mut frames)?;
        Ok(clock.elapsed().as_secs_f64())
    };
    match trial() {
        Ok(seconds) => Finding::good(
            what,
            format!(
                "works: a bare jump of a tetrapeptide in {:.1} ms",
                seconds * 1e3
            ),
        ),
        Err(error) => {
            let verdict = match backend {
                Backend::Cpu => Verdict::Bad,
                _ => Verdict::Poor,
            };
            Finding::good(what, error.to_string()).wrong(verdict, error.hint())
        }
    }
}

/// Writes a file there and takes it away again.
fn disk(folder: &Path) -> Finding {
    let place = folder.display();
    let trial = || -> std::io::Result<f64> {
        let mut file = tempfile::tempfile_in(folder)?;
        let clock = Instant::now();
        file.write_all(&vec![7; WRITTEN])?;
        file.sync_all()?;
        Ok(WRITTEN as f64 / 1e6 / clock.elapsed().as_secs_f64())
    };
    match trial() {
        Ok(speed) => {
            let found = Finding::good("folder", format!("{place}: {speed:.0} MB/s written"));
            if speed >= SLOW {
                return found;
            }
            found.wrong(
                Verdict::Poor,
                "-o on a local disk: checkpoints wait for this one",
            )
        }
        Err(error) => Finding::good("folder", format!("{place} cannot be written: {error}")).wrong(
            Verdict::Poor,
            "-o PREFIX in a folder of yours, with space left",
        ),
    }
}

/// The first value of a name in one of Linux's files of `name : value` lines.
fn field_of(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_that_is_wrong_says_what_to_do() {
        let folder = Path::new("/proc/none");
        let findings = doctor(folder);
        for finding in &findings {
            let good = finding.verdict == Verdict::Good;
            assert_eq!(good, finding.mend.is_empty(), "{finding:?}");
        }
        let of = |what: &str| findings.iter().find(|f| f.what == what).unwrap();
        assert_eq!(of("CPU engine").verdict, Verdict::Good, "{findings:?}");
        assert_eq!(of("folder").verdict, Verdict::Poor, "{findings:?}");
    }

    #[test]
    fn a_gpu_that_vulkan_does_not_reach_is_named() {
        let root = tempfile::tempdir().unwrap();
        assert!(no_hardware(root.path()).found.contains("none but the CPU"));
        let driver = root.path().join("proc/driver/nvidia");
        std::fs::create_dir_all(&driver).unwrap();
        std::fs::write(driver.join("version"), "580").unwrap();
        let finding = no_hardware(root.path());
        assert!(finding.found.contains("NVIDIA"), "{finding:?}");
        assert!(finding.mend.contains("graphics"), "{finding:?}");
    }
}
