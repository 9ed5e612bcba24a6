//! The entry that starts Countersign at login: an absolute path, made and taken away by the person alone.

use anyhow::Context as _;
use auto_launch::{AutoLaunch, AutoLaunchBuilder};

/// The name the system's list shows.
const NAME: &str = "Countersign";

fn entry() -> anyhow::Result<AutoLaunch> {
    let program = std::env::current_exe().context("where this program is")?;
    let program = program.to_str().context("the path of this program is not text")?;
    // A desktop entry reads the path as a shell would.
    let program = if cfg!(target_os = "linux") { quoted(program) } else { program.to_owned() };
    AutoLaunchBuilder::new()
        .set_app_name(NAME)
        .set_app_path(&program)
        // A client may have started one before; then nothing comes to the front at login.
        .set_args(&["--quietly"])
        .build()
        .context("the entry for login")
}

/// Whether the entry is there; none where that cannot be found out.
pub fn is_on() -> Option<bool> {
    entry().and_then(|entry| entry.is_enabled().context("the entry for login")).ok()
}

/// Makes the entry, or takes it away.
pub fn set(on: bool) -> anyhow::Result<()> {
    let entry = entry()?;
    let done = if on { entry.enable() } else { entry.disable() };
    done.context("the entry for login could not be changed")
}

/// As the desktop entry specification wants an argument with reserved characters.
fn quoted(path: &str) -> String {
    let mut text = String::from("\"");
    for letter in path.chars() {
        if matches!(letter, '"' | '`' | '$' | '\\') {
            // Once for the quotes, and a backslash once more for the entry's own reading.
            text.push_str(if letter == '\\' { r"\\\" } else { r"\\" });
        }
        if letter == '%' {
            text.push('%');
        }
        text.push(letter);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_is_one_argument_whatever_is_in_it() {
        assert_eq!(quoted("/opt/my apps/countersign"), r#""/opt/my apps/countersign""#);
        assert_eq!(quoted("/a$b"), r#""/a\\$b""#);
        assert_eq!(quoted(r"/a\b"), r#""/a\\\\b""#);
        assert_eq!(quoted("/100%"), r#""/100%%""#);
    }
}
