//! Tells what calls the crate which commit it is built from (src/version.rs), and builds VkFFT
//! (feature `vkfft`, Linux): bindings to its headers, which the crate `gpufft-vulkan-sys` carries,
//! and one C file with the functions that those headers define.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Err(error) = name_commit() {
        eprintln!("the commit cannot be named: {error}");
        std::process::exit(1);
    }
    build_vkfft();
}

/// Writes the macro by which a program names its commit. It includes the file that says which one,
/// so that a new commit compiles those who call it and not the library.
fn name_commit() -> std::io::Result<()> {
    let file = commit_file().and_then(|path| path.canonicalize().ok());
    let text = match file.as_ref().and_then(|path| path.to_str()) {
        Some(path) => format!("include_bytes!({path:?})"),
        None => "b\"\"".to_owned(),
    };
    let macro_of_it = format!(
        "/// Names the commit that the caller is built from, for `version` to tell: once, at the\n\
         /// start of a program.\n\
         #[macro_export]\nmacro_rules! name_commit {{ () => {{\n\
         $crate::version::built_from(const {{ $crate::version::last_commit({text}) }})\n\
         }} }}\n"
    );
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(out.join("name_commit.rs"), macro_of_it)
}

/// The file that says which commit the sources are of: git's log of HEAD, or the one that git fills
/// in when it makes an archive. None for sources that cargo packaged, and without git.
fn commit_file() -> Option<PathBuf> {
    // the sources may lie inside somebody else's repository
    if git(&["rev-parse", "--show-prefix"]).is_some_and(|prefix| prefix.is_empty()) {
        // where the sources get another repository its log is looked for again; git leaves the
        // first of these files alone, the second changes with every branch that follows another
        let of_git = |name| git(&["rev-parse", "--git-path", name]).map(PathBuf::from);
        let mut lasting = ["info/exclude", "config"].into_iter().filter_map(of_git);
        let lasting = lasting.find(|file| file.exists())?;
        println!("cargo:rerun-if-changed={}", lasting.display());
        let log = PathBuf::from(git(&["rev-parse", "--git-path", "logs/HEAD"])?);
        return log.exists().then_some(log);
    }
    let archived = PathBuf::from("COMMIT");
    archived.exists().then_some(archived)
}

/// What git prints, run where the sources are.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(feature = "vkfft")]
fn build_vkfft() {
    println!("cargo:rerun-if-changed=src/fft/vkfft/vkfft.h");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    println!("cargo:rustc-check-cfg=cfg(has_vkfft)");
    println!("cargo:rerun-if-env-changed={REQUIRE}");
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // bindgen panics where there is no libclang
    let built = std::panic::catch_unwind(vkfft::build)
        .unwrap_or_else(|_| Err("libclang is missing, of the Debian package libclang-dev".into()));
    match built {
        Ok(()) => println!("cargo:rustc-cfg=has_vkfft"),
        Err(what) if std::env::var_os(REQUIRE).is_some() => {
            eprintln!("VkFFT cannot be built: {what}\n  try: {}", vkfft::HINT);
            std::process::exit(1);
        }
        // a GPU engine with transforms of its own beats no program
        Err(what) => println!(
            "cargo:warning=built without VkFFT, long convolutions on a GPU are slower: {what}; \
             for it, {}",
            vkfft::HINT
        ),
    }
}

/// Where this variable is set, a build without VkFFT has failed.
#[cfg(feature = "vkfft")]
const REQUIRE: &str = "MDSURROGATE_REQUIRE_VKFFT";

#[cfg(not(feature = "vkfft"))]
fn build_vkfft() {
    println!("cargo:rustc-check-cfg=cfg(has_vkfft)");
}

#[cfg(feature = "vkfft")]
mod vkfft {
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    pub const HINT: &str = "install the Debian packages gcc g++ libvulkan-dev glslang-dev \
                            libclang-dev (make does)";

    /// Where Debian has the C header of glslang, beside the compiler's own folders.
    const GLSLANG: &str = "/usr/include/glslang/Include";

    /// Libraries of glslang and of the SPIRV-Tools that it needs, each before those that it needs.
    /// Versions differ in which they have: newer ones lack `OGLCompiler` and `OSDependent`, and
    /// merge one after another of the rest into `glslang`. What is there is linked.
    const LIBRARIES: [&str; 8] = [
        "SPIRV",
        "glslang",
        "MachineIndependent",
        "GenericCodeGen",
        "OGLCompiler",
        "OSDependent",
        "SPIRV-Tools-opt",
        "SPIRV-Tools",
    ];

    /// Calls what VkFFT needs of those libraries: that it links says that none is missing.
    const TRIAL: &str = r#"
        extern "C" int glslang_initialize_process(void);
        extern "C" int glslang_shader_parse(void*, const void*);
        extern "C" void glslang_program_SPIRV_generate(void*, int);
        int main() {
            glslang_initialize_process();
            glslang_shader_parse(0, 0);
            glslang_program_SPIRV_generate(0, 0);
        }
    "#;

    type Outcome<T> = Result<T, String>;

    pub fn build() -> Outcome<()> {
        let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
        let headers = headers()?;
        let includes =
            [headers.as_path(), Path::new(GLSLANG)].map(|folder| format!("-I{}", folder.display()));
        for (header, package) in [
            ("vulkan/vulkan.h", "libvulkan-dev"),
            ("glslang_c_interface.h", "glslang-dev"),
        ] {
            has_header(&includes, header).then_some(()).ok_or(format!(
                "{header} is missing, of the Debian package {package}"
            ))?;
        }
        let wrapped = out.join("vkfft_wrapped.c");
        bindings(&includes, &wrapped)?
            .write_to_file(out.join("vkfft.rs"))
            .map_err(|error| error.to_string())?;
        let mut library = cc::Build::new();
        library
            .file(&wrapped)
            .flags(&includes)
            .include(env!("CARGO_MANIFEST_DIR"))
            .warnings(false);
        library
            .try_compile("vkfft_wrapped")
            .map_err(|error| error.to_string())?;
        for (name, file) in libraries(&out)? {
            println!("cargo:rerun-if-changed={}", file.display());
            println!(
                "cargo:rustc-link-search=native={}",
                file.parent().unwrap_or(Path::new("/usr/lib")).display()
            );
            // linked into the program alone: a copy of a compiler in every rlib would be a waste
            let kind = if file.extension().is_some_and(|ending| ending == "a") {
                "static:-bundle"
            } else {
                "dylib"
            };
            println!("cargo:rustc-link-lib={kind}={name}");
        }
        println!("cargo:rustc-link-lib=dylib=stdc++");
        Ok(())
    }

    /// VkFFT's folder in the sources of the crate that carries it.
    fn headers() -> Outcome<PathBuf> {
        // for the target that Cargo.toml names, so that nothing is downloaded that other systems
        // need
        let cargo = std::env::var_os("CARGO").ok_or("cargo does not name itself")?;
        let mut command = Command::new(cargo);
        command.args([
            "metadata",
            "--locked",
            "--format-version=1",
            "--no-default-features",
            "--filter-platform=x86_64-unknown-none",
        ]);
        let output = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let carrier = text
            .split("\"manifest_path\":\"")
            .filter_map(|rest| rest.split('"').next())
            .find(|path| path.contains("/gpufft-vulkan-sys-"));
        let carrier = carrier
            .and_then(|path| Path::new(path).parent())
            .ok_or_else(|| {
                let words = String::from_utf8_lossy(&output.stderr);
                format!(
                    "the crate gpufft-vulkan-sys, which carries its headers, is not there \
                 (`cargo fetch` downloads it): {words}"
                )
            })?;
        Ok(carrier.join("vendor/VkFFT/vkFFT"))
    }

    fn compiler(cpp: bool) -> Outcome<Command> {
        let tool = cc::Build::new()
            .cpp(cpp)
            .try_get_compiler()
            .map_err(|error| error.to_string())?;
        let found = tool
            .to_command()
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success());
        let package = if cpp { "g++" } else { "gcc" };
        found.then(|| tool.to_command()).ok_or(format!(
            "{} does not run, of the Debian package {package}",
            tool.path().display()
        ))
    }

    /// A library's file, where the compiler that links it finds it.
    fn file_of(name: &str) -> Outcome<Option<PathBuf>> {
        let output = compiler(true)?
            .arg(format!("-print-file-name={name}"))
            .output()
            .map_err(|error| error.to_string())?;
        let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        Ok(path.is_absolute().then_some(path))
    }

    /// Those of `LIBRARIES` that are there, static ones first; together they are all that VkFFT
    /// needs.
    fn libraries(out: &Path) -> Outcome<Vec<(&'static str, PathBuf)>> {
        file_of("libstdc++.so")?.ok_or("libstdc++.so is missing, of the Debian package g++")?;
        let mut found = Vec::new();
        for name in LIBRARIES {
            let file = match file_of(&format!("lib{name}.a"))? {
                None => file_of(&format!("lib{name}.so"))?,
                file => file,
            };
            found.extend(file.map(|file| (name, file)));
        }
        let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
        if !names.contains(&"glslang") {
            return Err("libglslang.a is missing, of the Debian package glslang-dev".into());
        }
        let (trial, program) = (out.join("trial.cpp"), out.join("trial"));
        std::fs::write(&trial, TRIAL).map_err(|error| error.to_string())?;
        let mut command = compiler(true)?;
        command
            .arg(&trial)
            .args(found.iter().map(|(_, file)| file))
            .arg("-o")
            .arg(program);
        let output = command.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let first = words
                .lines()
                .find(|line| line.contains("undefined") || line.contains("cannot"))
                .unwrap_or(words.trim());
            let (found, missing) = (
                names.join(", "),
                LIBRARIES
                    .iter()
                    .filter(|name| !names.contains(name))
                    .copied()
                    .collect::<Vec<_>>(),
            );
            let packages = "a library is missing, of the Debian packages glslang-dev (SPIRV) and \
                            spirv-tools (SPIRV-Tools)";
            return Err(format!(
                "{packages}: {first} (there: {found}; not there: {})",
                missing.join(", ")
            ));
        }
        Ok(found)
    }

    fn has_header(includes: &[String], header: &str) -> bool {
        let Ok(mut command) = compiler(false) else {
            return false;
        };
        let child = command
            .args(includes)
            .args(["-E", "-xc", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = child else { return false };
        let written = child
            .stdin
            .take()
            .is_some_and(|mut input| writeln!(input, "#include <{header}>").is_ok());
        written && child.wait().is_ok_and(|status| status.success())
    }

    /// Rust's view of VkFFT; writes the C file that makes its inline functions linkable.
    fn bindings(includes: &[String], wrapped: &Path) -> Outcome<bindgen::Bindings> {
        let builder = bindgen::Builder::default()
            .header(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/src/fft/vkfft/vkfft.h"
            ))
            .clang_args(includes)
            .allowlist_function("initializeVkFFT|VkFFTAppend|deleteVkFFT|VkFFTGetVersion")
            .allowlist_function("load_vulkan|glslang_initialize_process")
            .blocklist_type("VkFFTPlan")
            .raw_line("#[repr(C)] pub struct VkFFTPlan([u8; 0]);")
            .default_enum_style(bindgen::EnumVariation::Consts)
            .layout_tests(false)
            .wrap_static_fns(true)
            .wrap_static_fns_path(wrapped);
        // bindgen panics where it cannot load libclang
        std::panic::catch_unwind(bindgen::clang_version)
            .map_err(|_| "libclang is missing, of the Debian package libclang-dev")?;
        let words =
            "libclang cannot read it (its own headers are of the Debian package libclang-dev too)";
        builder
            .generate()
            .map_err(|error| format!("{words}: {error}"))
    }
}
