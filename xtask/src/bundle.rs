//! `cargo xtask bundle`: an MCPB bundle that Claude Desktop installs on a double click.
//!
//! It holds a manifest, an icon and the program, and no token. One bundle is for the system it was built on.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::place::Place;
use crate::run;
use crate::setup;

/// Builds the release program, unless `--program FILE` names one, and packs it, below the target directory unless
/// `--into FOLDER` says where.
pub fn run(place: &Place, words: &[String]) -> Result<()> {
    let (mut program, mut folder) = (None, None);
    for pair in words.chunks(2) {
        match pair {
            [word, path] if word == "--program" => program = Some(PathBuf::from(path)),
            [word, path] if word == "--into" => folder = Some(PathBuf::from(path)),
            _ => bail!("usage: cargo xtask bundle [--program FILE] [--into FOLDER]"),
        }
    }
    let program = program.map_or_else(|| built(place), Ok)?;
    let made = pack(&place.root, &program, &folder.unwrap_or_else(|| place.target.join("bundle")))?;
    println!("{}", made.display());
    Ok(())
}

fn built(place: &Place) -> Result<PathBuf> {
    setup::for_steps(place, &[setup::Need::Headless, setup::Need::Window])?;
    run::shown(&mut place.cargo(&["build", "--release", "--package", "countersign"]))?;
    Ok(place.target.join("release").join(format!("countersign{}", std::env::consts::EXE_SUFFIX)))
}

/// Writes the bundle into `folder` and gives its path.
fn pack(root: &Path, program: &Path, folder: &Path) -> Result<PathBuf> {
    let manifest = manifest(root)?;
    let program = std::fs::read(program).with_context(|| program.display().to_string())?;
    let icon = std::fs::read(root.join("icons/icon.png")).context("icons/icon.png")?;
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let version = manifest["version"].as_str().unwrap_or_default();
    let name = format!("countersign-{version}-{}-{}.mcpb", std::env::consts::OS, std::env::consts::ARCH);
    let path = folder.join(name);
    let file = std::fs::File::create(&path).with_context(|| path.display().to_string())?;
    let entry = manifest["server"]["entry_point"].as_str().context("the manifest names no entry point")?;
    let text = serde_json::to_string_pretty(&manifest)?;
    let files = [("manifest.json", text.as_bytes(), 0o644), ("icon.png", &icon, 0o644), (entry, &program, 0o755)];
    zipped(file, &files)?;
    Ok(path)
}

/// A zip with fixed times, so that the same files make the same bundle.
fn zipped(file: impl Write + Seek, files: &[(&str, &[u8], u32)]) -> Result<()> {
    let mut zip = ZipWriter::new(file);
    for (name, bytes, mode) in files {
        let options = SimpleFileOptions::default().unix_permissions(*mode).last_modified_time(zip::DateTime::default());
        zip.start_file(*name, options)?;
        zip.write_all(bytes)?;
    }
    zip.finish()?;
    Ok(())
}

/// The manifest with the version and the system filled in.
fn manifest(root: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(root.join("xtask/mcpb/manifest.json")).context("xtask/mcpb/manifest.json")?;
    let mut manifest: Value = serde_json::from_str(&text).context("xtask/mcpb/manifest.json")?;
    let suffix = std::env::consts::EXE_SUFFIX;
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    manifest["version"] = json!(env!("CARGO_PKG_VERSION"));
    manifest["compatibility"]["platforms"] = json!([system]);
    manifest["server"]["entry_point"] = json!(format!("server/countersign{suffix}"));
    manifest["server"]["mcp_config"]["command"] = json!(format!("${{__dirname}}/server/countersign{suffix}"));
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn a_bundle_holds_the_program_ready_to_run_and_no_token() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let program = folder.path().join("program");
        std::fs::write(&program, "the program")?;
        let bundle = pack(&root(), &program, folder.path())?;
        assert_eq!(bundle.extension().and_then(|end| end.to_str()), Some("mcpb"));
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&bundle)?)?;
        let mut text = String::new();
        zip.by_name("manifest.json")?.read_to_string(&mut text)?;
        let manifest: Value = serde_json::from_str(&text)?;
        let entry = manifest["server"]["entry_point"].as_str().unwrap_or_default().to_owned();
        assert_eq!(manifest["server"]["mcp_config"]["command"], format!("${{__dirname}}/{entry}"));
        assert_eq!(manifest["server"]["mcp_config"]["args"], json!(["mcp", "--agent", "claude-desktop"]));
        let mut packed = zip.by_name(&entry)?;
        assert_eq!(packed.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut bytes = Vec::new();
        packed.read_to_end(&mut bytes)?;
        assert_eq!(bytes, b"the program");
        Ok(())
    }

    #[test]
    fn the_same_program_makes_the_same_bundle() -> Result<()> {
        let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let program = one.path().join("program");
        std::fs::write(&program, [7; 100_000])?;
        let first = std::fs::read(pack(&root(), &program, one.path())?)?;
        assert_eq!(first, std::fs::read(pack(&root(), &program, two.path())?)?);
        Ok(())
    }
}
