//! `cargo xtask package`: .deb and .rpm, made by the tauri command line that comes with the interface's packages.
//!
//! With `--try` the .deb is installed as root, started on a private screen until it serves, and removed again. AppImage, .dmg, .msi and
//! NSIS are configured in `tauri.conf.json` and built by nobody yet: their tools come from the network or run elsewhere.

use anyhow::{Context, Result, bail};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{place::Place, run, setup};

/// The name of the Debian package and of its program.
const NAME: &str = "countersign";
/// Waits for the line that says that it serves, shows that it has a window, and ends it.
const TRY: &str = r#"
set -eu
dir=$(mktemp -d); chmod 700 "$dir"
trap 'kill "${app:-}" 2>/dev/null || true; rm -rf "$dir"' EXIT
printf '[server]\nport = 0\n' > "$dir/config.toml"
/usr/bin/countersign --data-dir "$dir" --json --show activity > "$dir/out" 2> "$dir/err" & app=$!
for _ in $(seq 600); do grep -q '"ready"' "$dir/out" && break; kill -0 "$app" || { cat "$dir/err"; exit 1; }; sleep .1; done
grep '"ready"' "$dir/out" || { cat "$dir/err"; exit 1; }
for _ in $(seq 600); do xdotool search --onlyvisible --name '^Countersign$' && break; sleep .1; done
xdotool search --onlyvisible --name '^Countersign$'
kill "$app"; wait "$app"; app=
"#;

/// Makes the packages, and tries the .deb where that is wanted.
pub fn run(place: &Place, words: &[String]) -> Result<()> {
    let (mut debug, mut tried) = (false, false);
    for word in words {
        match word.as_str() {
            "--debug" => debug = true,
            "--try" => tried = true,
            other => bail!("package takes --debug and --try, not {other:?}"),
        }
    }
    setup::interface(place)?;
    let cli = place.root.join("ui/node_modules/.bin/tauri");
    let mut build = place.command(cli);
    build.args(["build", "--bundles", "deb,rpm", "--ci"]).env("CARGO_TARGET_DIR", &place.target);
    if debug {
        build.arg("--debug");
    }
    run::shown(&mut build)?;
    let made = place.target.join(if debug { "debug" } else { "release" }).join("bundle");
    for kind in ["deb", "rpm"] {
        println!("Package: {}", newest(&made.join(kind), kind)?.display());
    }
    if tried { try_out(place, &newest(&made.join("deb"), "deb")?) } else { Ok(()) }
}

/// The file of this kind that was made last.
fn newest(folder: &Path, kind: &str) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?.flatten();
    let files = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == kind));
    let newest = files.max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok());
    Ok(newest.with_context(|| format!("no .{kind} in {}", folder.display()))?.path())
}

fn try_out(place: &Place, deb: &Path) -> Result<()> {
    if Command::new("dpkg").args(["-s", NAME]).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
        bail!("{NAME} is installed already; this would remove it");
    }
    run::shown(place.command("apt-get").args(["install", "-y", "--no-install-recommends"]).arg(deb))?;
    let mut start = place.command(place.root.join("tests/support/session.sh"));
    start.arg(place.root.join("tests/support/desktop.sh")).args(["bash", "-c", TRY]);
    let started = run::shown(start.env("PATH", place.path_with_tools()?));
    run::shown(place.command("dpkg").args(["--purge", NAME]))?;
    if Path::new("/usr/bin").join(NAME).exists() {
        bail!("/usr/bin/{NAME} is still there after the package was removed");
    }
    started
}
