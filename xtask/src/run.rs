//! Starts other programs: shows their output, keeps it, or says in full which command failed.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs to the end with the output on our own; an error names the command.
pub fn shown(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", words(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", words(command));
    }
    Ok(())
}

/// Runs to the end and returns what it printed; on failure its error output is in the error.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", words(command)))?;
    if !out.status.success() {
        let said = [String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)].concat();
        bail!("{} ended with {}\n{}", words(command), out.status, said.trim());
    }
    String::from_utf8(out.stdout).with_context(|| format!("{} printed no UTF-8", words(command)))
}

/// Runs to the end, shows what it prints on stdout while it runs, and returns that together with whether it succeeded.
pub fn watched(command: &mut Command) -> Result<(String, bool)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", words(command)))?;
    let mut pipe = child.stdout.take().context("no pipe from the child")?;
    let mut kept = Vec::new();
    let mut part = [0; 8192];
    loop {
        let read = pipe.read(&mut part)?;
        let Some(fresh) = part.get(..read).filter(|fresh| !fresh.is_empty()) else { break };
        std::io::stdout().write_all(fresh)?;
        std::io::stdout().flush()?;
        kept.extend_from_slice(fresh);
    }
    let status = child.wait()?;
    Ok((String::from_utf8_lossy(&kept).into_owned(), status.success()))
}

/// Whether `program` starts and succeeds with these arguments, its output thrown away.
pub fn works(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn words(command: &Command) -> String {
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(command.get_program().to_string_lossy().into_owned()).chain(args).collect::<Vec<_>>().join(" ")
}
