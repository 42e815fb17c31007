//! Lays the board's memory map where the linker finds it, and gives the image its build id.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

const BOARDS: [&str; 2] = ["mps2-an385", "blue-pill"];
/// What an image is made of, from this folder.
const SOURCES: [&str; 8] =
    ["src", "boards", "Cargo.toml", "Cargo.lock", "build.rs", "../device", "../payload", "../store"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let board = board();
    let read = |file: String| fs::read_to_string(&file).unwrap_or_else(|error| panic!("cannot read {file}: {error}"));
    let map = read(format!("boards/{board}.x")) + &read("boards/symbols.x".to_owned());
    fs::write(out.join("memory.x"), map).expect("OUT_DIR takes files");
    // The interrupt vectors are named in src/board/, so there is nothing to provide.
    fs::write(out.join("device.x"), "").expect("OUT_DIR takes files");
    println!("cargo:rustc-link-search={}", out.display());
    for script in ["link.x", "defmt.x"] {
        println!("cargo:rustc-link-arg-bins=-T{script}");
    }
    println!("cargo:rustc-env=RIG_BUILD_ID={}", build_id());
}

fn board() -> &'static str {
    let is_asked_for = |board: &&str| feature(board);
    match BOARDS.into_iter().filter(is_asked_for).collect::<Vec<_>>()[..] {
        [board] => board,
        _ => panic!("name one board: --features {}", BOARDS.join(" or --features ")),
    }
}

fn feature(name: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase().replace('-', "_"))).is_some()
}

/// The first 16 bytes of a digest of everything that the image is made of: the sources, the features, the profile and the compiler.
fn build_id() -> String {
    let mut digest = Sha256::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        let mut files = Vec::new();
        collect(Path::new(source), &mut files);
        files.sort();
        for file in files {
            let bytes = fs::read(&file).unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
            part(&mut digest, file.to_string_lossy().as_bytes());
            part(&mut digest, &bytes);
        }
    }
    let mut features: Vec<_> =
        env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CARGO_FEATURE_")).collect();
    features.sort();
    part(&mut digest, features.join(" ").as_bytes());
    part(&mut digest, env::var("PROFILE").unwrap_or_default().as_bytes());
    part(&mut digest, &compiler());
    digest.finalize()[..16].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Takes a part in, so that no two lists of parts give the same bytes.
fn part(digest: &mut Sha256, bytes: &[u8]) {
    digest.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
    digest.update(bytes);
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
        return;
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    for entry in entries.filter_map(Result::ok) {
        collect(&entry.path(), files);
    }
}

fn compiler() -> Vec<u8> {
    let rustc = env::var_os("RUSTC").expect("cargo sets RUSTC");
    Command::new(rustc).arg("-vV").output().map(|output| output.stdout).unwrap_or_default()
}
