//! Builds VkFFT (feature `vkfft`, Linux): bindings to its headers, which the crate `gpufft-vulkan-sys` carries, and one C file with the
//! functions that those headers define. Everything else about the crate needs no build script.

#[cfg(feature = "vkfft")]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/fft/vkfft/vkfft.h");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        if let Err(what) = vkfft::build() {
            eprintln!("VkFFT cannot be built: {what}\n  try: {}", vkfft::HINT);
            std::process::exit(1);
        }
    }
}

#[cfg(not(feature = "vkfft"))]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}

#[cfg(feature = "vkfft")]
mod vkfft {
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    pub const HINT: &str = "the Debian packages gcc g++ libvulkan-dev glslang-dev libclang1-14 libclang-common-14-dev (make installs them), \
                            or do without VkFFT: cargo build --release --no-default-features --features gpu \
                            (without any GPU: --no-default-features)";

    /// Where Debian has the C header of glslang, beside the compiler's own folders.
    const GLSLANG: &str = "/usr/include/glslang/Include";

    /// Static libraries of glslang-dev, each before those that it needs.
    const LIBRARIES: [&str; 8] =
        ["SPIRV", "glslang", "MachineIndependent", "GenericCodeGen", "OGLCompiler", "OSDependent", "SPIRV-Tools-opt", "SPIRV-Tools"];

    type Outcome<T> = Result<T, String>;

    pub fn build() -> Outcome<()> {
        let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
        let headers = headers()?;
        let search = library_folder()?;
        let includes = [headers.as_path(), Path::new(GLSLANG)].map(|folder| format!("-I{}", folder.display()));
        for (header, package) in [("vulkan/vulkan.h", "libvulkan-dev"), ("glslang_c_interface.h", "glslang-dev")] {
            has_header(&includes, header).then_some(()).ok_or(format!("{header} is missing, of the Debian package {package}"))?;
        }
        let wrapped = out.join("vkfft_wrapped.c");
        bindings(&includes, &wrapped)?.write_to_file(out.join("vkfft.rs")).map_err(|error| error.to_string())?;
        let mut library = cc::Build::new();
        library.file(&wrapped).flags(&includes).include(env!("CARGO_MANIFEST_DIR")).warnings(false);
        library.try_compile("vkfft_wrapped").map_err(|error| error.to_string())?;
        println!("cargo:rustc-link-search=native={}", search.display());
        // linked into the program alone: a copy of a compiler in every rlib would be a waste
        LIBRARIES.iter().for_each(|name| println!("cargo:rustc-link-lib=static:-bundle={name}"));
        println!("cargo:rustc-link-lib=dylib=stdc++");
        Ok(())
    }

    /// VkFFT's folder in the sources of the crate that carries it.
    fn headers() -> Outcome<PathBuf> {
        // for the target that Cargo.toml names, so that nothing is downloaded that other systems need
        let cargo = std::env::var_os("CARGO").ok_or("cargo does not name itself")?;
        let mut command = Command::new(cargo);
        command.args(["metadata", "--locked", "--format-version=1", "--no-default-features", "--filter-platform=x86_64-unknown-none"]);
        let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let carrier =
            text.split("\"manifest_path\":\"").filter_map(|rest| rest.split('"').next()).find(|path| path.contains("/gpufft-vulkan-sys-"));
        let carrier = carrier.and_then(|path| Path::new(path).parent()).ok_or_else(|| {
            let words = String::from_utf8_lossy(&output.stderr);
            format!("the crate gpufft-vulkan-sys, which carries its headers, is not there (`cargo fetch` downloads it): {words}")
        })?;
        Ok(carrier.join("vendor/VkFFT/vkFFT"))
    }

    fn compiler(cpp: bool) -> Outcome<Command> {
        let tool = cc::Build::new().cpp(cpp).try_get_compiler().map_err(|error| error.to_string())?;
        let found = tool.to_command().arg("--version").output().is_ok_and(|output| output.status.success());
        let package = if cpp { "g++" } else { "gcc" };
        found.then(|| tool.to_command()).ok_or(format!("{} does not run, of the Debian package {package}", tool.path().display()))
    }

    /// The folder of glslang's libraries, as the compiler that links them knows it.
    fn library_folder() -> Outcome<PathBuf> {
        for (name, package) in LIBRARIES.iter().map(|name| (format!("lib{name}.a"), "glslang-dev")).chain([("libstdc++.so".into(), "g++")])
        {
            let output = compiler(true)?.arg(format!("-print-file-name={name}")).output().map_err(|error| error.to_string())?;
            let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
            if !path.is_absolute() {
                return Err(format!("{name} is missing, of the Debian package {package}"));
            }
            if name == "libSPIRV.a" {
                println!("cargo:rerun-if-changed={}", path.display());
            }
        }
        let output = compiler(true)?.arg("-print-file-name=libSPIRV.a").output().map_err(|error| error.to_string())?;
        let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        Ok(path.parent().unwrap_or(Path::new("/usr/lib")).to_owned())
    }

    fn has_header(includes: &[String], header: &str) -> bool {
        let Ok(mut command) = compiler(false) else { return false };
        let child =
            command.args(includes).args(["-E", "-xc", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = child else { return false };
        let written = child.stdin.take().is_some_and(|mut input| writeln!(input, "#include <{header}>").is_ok());
        written && child.wait().is_ok_and(|status| status.success())
    }

    /// Rust's view of VkFFT; writes the C file that makes its inline functions linkable.
    fn bindings(includes: &[String], wrapped: &Path) -> Outcome<bindgen::Bindings> {
        let builder = bindgen::Builder::default()
            .header(concat!(env!("CARGO_MANIFEST_DIR"), "/src/fft/vkfft/vkfft.h"))
            .clang_args(includes)
            .allowlist_function("initializeVkFFT|VkFFTAppend|deleteVkFFT|VkFFTGetVersion|load_vulkan|glslang_initialize_process")
            .blocklist_type("VkFFTPlan")
            .raw_line("#[repr(C)] pub struct VkFFTPlan([u8; 0]);")
            .default_enum_style(bindgen::EnumVariation::Consts)
            .layout_tests(false)
            .wrap_static_fns(true)
            .wrap_static_fns_path(wrapped);
        // bindgen panics where it cannot load libclang
        std::panic::catch_unwind(bindgen::clang_version).map_err(|_| "libclang is missing, of the Debian package libclang1-14")?;
        let words = "libclang cannot read it (its own headers are of the Debian package libclang-common-14-dev)";
        builder.generate().map_err(|error| format!("{words}: {error}"))
    }
}
