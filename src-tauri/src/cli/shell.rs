//! `countersign completions` and `countersign man`: what a shell and `man` want to know of the verbs, made from the verbs.

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::{io::Write as _, path::PathBuf};

use super::{Cli, Exit};

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Writes a page for each verb into this directory instead.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the completion script of a shell.
pub fn completions(shell: Shell) -> anyhow::Result<Exit> {
    print(&script(shell))
}

/// Prints the manual page, or writes all pages.
pub fn man(args: ManArgs) -> anyhow::Result<Exit> {
    let command = Cli::command();
    let Some(dir) = args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).context("writing the page")?;
        return print(&page);
    };
    std::fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    clap_mangen::generate_to(command, &dir).with_context(|| format!("writing pages into {}", dir.display()))?;
    Ok(Exit::Done)
}

fn script(shell: Shell) -> Vec<u8> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

fn print(text: &[u8]) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).context("printing")?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;
    use std::process::{Command, Stdio};

    fn verbs() -> Vec<String> {
        let command = Cli::command();
        command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect()
    }

    #[test]
    fn every_shell_is_told_every_verb() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(*shell)).unwrap();
            for verb in verbs() {
                assert!(script.contains(&verb), "{shell} does not know {verb}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn bash_can_read_its_script() {
        let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
        bash.stdin.take().unwrap().write_all(&script(Shell::Bash)).unwrap();
        assert!(bash.wait().unwrap().success());
    }

    #[test]
    fn every_verb_has_a_manual_page_and_the_first_names_them_all() {
        let dir = tempfile::tempdir().unwrap();
        man(ManArgs { dir: Some(dir.path().join("man")) }).unwrap();
        let page = |name: &str| std::fs::read_to_string(dir.path().join("man").join(name)).unwrap();
        let first = page("countersign.1");
        for verb in verbs() {
            let own = page(&format!("countersign-{verb}.1"));
            assert!(own.contains(".SH SYNOPSIS") && own.contains(".SH OPTIONS"), "{verb}: {own}");
            assert!(first.contains(&format!("countersign\\-{verb}(1)")), "{verb} is not in the first page");
        }
    }
}
