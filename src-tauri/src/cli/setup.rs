//! `countersign wallet`, `countersign agent`, `countersign pause` and `countersign resume`.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use countersign_core::{Millis, payment::AgentName, text::clean};
use countersign_vault::keys::Secret;
use std::{
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
};
use zeroize::Zeroizing;

use super::{Exit, finish, mcp};
use crate::{app::Place, bridge::token, control::Op};

#[derive(Debug, Subcommand)]
pub enum WalletVerb {
    /// Makes a new key.
    Create {
        /// Your name for it.
        #[arg(long, default_value = "main")]
        label: String,
    },
    /// Takes a key over, from a file or stdin, never from an argument.
    Import {
        /// Your name for it.
        #[arg(long, default_value = "main")]
        label: String,
        /// File with 64 hex digits.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// Lists wallets.
    List,
    /// Prints the address of the wallet that pays.
    Address {
        /// Of the wallet with this name.
        #[arg(long)]
        label: Option<String>,
    },
    /// Lets a wallet pay for one agent; the others keep the wallet that pays by default.
    Assign {
        /// Its address, or your name for it.
        wallet: String,
        /// Whose payments.
        #[arg(long)]
        agent: String,
    },
    /// Opens the wallets of the running Countersign with their passphrase, from a file or stdin, never from an argument.
    Unlock {
        /// File whose first line is the passphrase.
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Locks them: payments need the passphrase again.
    Lock,
}

#[derive(Debug, Subcommand)]
pub enum AgentVerb {
    /// Pairs an agent and prints its token, once.
    Add {
        /// Its name.
        name: String,
        /// Everything it wants to pay asks first.
        #[arg(long)]
        ask_everything: bool,
        /// For an MCP client that starts `countersign mcp`: keeps the token in a file of the data directory instead of printing it.
        #[arg(long)]
        bridge: bool,
    },
    /// Gives an agent a new token; the old one works for ten minutes more.
    Rotate {
        /// Its name.
        name: String,
        /// Keeps the new token in a file of the data directory, as it is where the old one lies in one.
        #[arg(long)]
        bridge: bool,
    },
    /// Lets an agent be bound to the program that uses its token next.
    Rebind {
        /// Its name.
        name: String,
    },
    /// Lists agents.
    List,
    /// Ends an agent's token.
    Revoke {
        /// Its name.
        name: String,
    },
}

/// Everybody, or one agent.
#[derive(Debug, Args)]
pub struct Whose {
    /// Only this agent's payments.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
}

pub fn wallet(place: &Place, verb: WalletVerb, json: bool) -> anyhow::Result<Exit> {
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    match verb {
        WalletVerb::Create { label } => {
            finish(place, Op::WalletCreate { label }, |w| println!("{}", text(w, "address")), json)
        }
        WalletVerb::Import { label, key_file } => {
            let key = read_secret(key_file, "key")?;
            finish(place, Op::WalletImport { label, key }, |w| println!("{}", text(w, "address")), json)
        }
        WalletVerb::List => finish(
            place,
            Op::WalletList,
            |list| {
                if list["wallets"].as_array().is_none_or(Vec::is_empty) {
                    println!("No wallets yet; `countersign wallet create` makes one.");
                }
                for wallet in list["wallets"].as_array().into_iter().flatten() {
                    let pays = if wallet["default"] == true { "  pays by default" } else { "" };
                    println!("{}  {}{pays}", text(wallet, "address"), text(wallet, "label"));
                }
            },
            json,
        ),
        WalletVerb::Address { label } => address(place, label.as_deref(), json),
        WalletVerb::Assign { wallet, agent } => finish(
            place,
            Op::WalletAssign { wallet, agent },
            |set| println!("{} pays for {}.", text(set, "address"), text(set, "agent")),
            json,
        ),
        WalletVerb::Unlock { passphrase_file } => {
            let passphrase = first_line(&read_text(passphrase_file, "passphrase", MOST)?);
            let said = "The wallets are unlocked until they are locked or Countersign ends.";
            finish(place, Op::WalletUnlock { passphrase }, |_| println!("{said}"), json)
        }
        WalletVerb::Lock => finish(
            place,
            Op::WalletLock,
            |now| {
                let none = "No passphrase is set, so the keys are only wiped from memory; set one on the page Wallets.";
                println!("{}", if now["locked"] == true { "The wallets are locked." } else { none });
            },
            json,
        ),
    }
}

fn address(place: &Place, label: Option<&str>, json: bool) -> anyhow::Result<Exit> {
    let reply = super::perform(place, Op::WalletList)?;
    let crate::control::Reply::Done(list) = reply else { return Ok(super::not_done(&reply, json)) };
    let wanted = |w: &&serde_json::Value| label.map_or(w["default"] == true, |l| w["label"] == l);
    let Some(wallet) = list["wallets"].as_array().into_iter().flatten().find(wanted) else {
        bail!("there is no such wallet; `countersign wallet list` shows them, `countersign wallet create` makes one");
    };
    if json {
        println!("{}", serde_json::json!({"address": wallet["address"]}));
    } else {
        println!("{}", wallet["address"].as_str().unwrap_or_default());
    }
    Ok(Exit::Done)
}

/// Longest key or passphrase, bytes.
const MOST: usize = 1024;

/// Reads a secret, without the spaces and line ends around it.
pub(super) fn read_secret(file: Option<PathBuf>, what: &str) -> anyhow::Result<Secret> {
    read_longer(file, what, MOST)
}

/// The same for a secret of at most so many bytes.
pub(super) fn read_longer(file: Option<PathBuf>, what: &str, most: usize) -> anyhow::Result<Secret> {
    Ok(Secret::copy_of(read_text(file, what, most)?.trim_ascii()))
}

/// The first line, with the spaces it has: they may belong to a passphrase.
fn first_line(text: &[u8]) -> Secret {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Secret::copy_of(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Reads past every buffer but one, which is wiped.
fn read_text(file: Option<PathBuf>, what: &str, most: usize) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let (opened, name) = match file {
        Some(path) => (File::open(&path), format!("the {what} file {}", path.display())),
        None => (unbuffered_stdin(), format!("the {what} from stdin")),
    };
    let mut text = Zeroizing::new(vec![0; most]);
    let filled = opened.and_then(|file| fill(file, &mut text)).with_context(|| format!("reading {name}"))?;
    if filled == text.len() {
        bail!("{name} is too long");
    }
    // Shorter within the same memory: nothing is copied.
    text.truncate(filled);
    Ok(text)
}

fn fill(mut file: File, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match file.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Stdin without the buffer of the standard library, which would keep what was read.
fn unbuffered_stdin() -> io::Result<File> {
    #[cfg(unix)]
    let stdin = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned()?;
    #[cfg(windows)]
    let stdin = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned()?;
    Ok(File::from(stdin))
}

pub fn agent(place: &Place, verb: AgentVerb, json: bool) -> anyhow::Result<Exit> {
    match verb {
        AgentVerb::Add { name, ask_everything, bridge: true } => mcp::add(place, &name.parse()?, ask_everything, json),
        AgentVerb::Add { name, ask_everything, bridge: false } => finish(
            place,
            Op::AgentAdd { name, ask_everything },
            |made| {
                println!("{}", made["token"].as_str().unwrap_or_default());
                eprintln!(
                    "This token is shown once. Give it to the agent as `Authorization: Bearer …`; it may ask for payments, nothing else."
                );
            },
            json,
        ),
        AgentVerb::Rotate { name, bridge } => {
            let agent: AgentName = name.parse()?;
            if bridge || token::path(&place.dir, &agent).exists() {
                return mcp::rotate(place, &agent, json);
            }
            finish(
                place,
                Op::AgentRotate { name },
                |made| {
                    println!("{}", made["token"].as_str().unwrap_or_default());
                    eprintln!("This token is shown once. The old one works for ten minutes more.");
                },
                json,
            )
        }
        AgentVerb::Rebind { name } => {
            let said = format!("{name} is bound to the program that uses its token next.");
            finish(place, Op::AgentRebind { name }, |_| println!("{said}"), json)
        }
        AgentVerb::List => finish(
            place,
            Op::AgentList,
            |list| {
                if list["agents"].as_array().is_none_or(Vec::is_empty) {
                    println!("No agents yet; `countersign agent add NAME` adds one.");
                }
                for agent in list["agents"].as_array().into_iter().flatten() {
                    let mut notes = Vec::new();
                    if agent["ask_everything"] == true {
                        notes.push("asks for everything");
                    }
                    if !agent["paused_until"].is_null() {
                        notes.push("paused");
                    }
                    if !agent["revoked_at"].is_null() {
                        notes.push("revoked");
                    }
                    let ends = agent["expires_at"].as_i64().filter(|_| agent["expires_soon"] == true);
                    let ends = ends.map(|end| format!("its token ends {}: rotate it", Millis(end).rfc3339()));
                    let program = agent["program"].as_str().map(|path| format!("bound to {}", clean(path)));
                    let wallet = agent["wallet"].as_str().map(|address| match address {
                        "" => "pays from no wallet: its own was removed".to_owned(),
                        address => format!("pays from {address}"),
                    });
                    let more = [wallet, program, ends];
                    let notes: Vec<&str> = notes.into_iter().chain(more.iter().flatten().map(String::as_str)).collect();
                    println!("{}  {}", agent["name"].as_str().unwrap_or_default(), notes.join(", "));
                }
            },
            json,
        ),
        AgentVerb::Revoke { name } => {
            let agent = name.parse();
            let exit = finish(place, Op::AgentRevoke { name }, |_| println!("Its token is dead."), json)?;
            if let (Exit::Done, Ok(agent)) = (exit, agent) {
                mcp::forget(place, &agent)?;
            }
            Ok(exit)
        }
    }
}

pub fn pause(place: &Place, Whose { agent }: Whose, json: bool) -> anyhow::Result<Exit> {
    let said = agent.as_ref().map_or("All payments are paused.".to_owned(), |name| format!("{name} is paused."));
    finish(place, Op::Pause { agent }, |_| println!("{said}"), json)
}

pub fn resume(place: &Place, Whose { agent }: Whose, json: bool) -> anyhow::Result<Exit> {
    let said = agent.as_ref().map_or("Payments go on.".to_owned(), |name| format!("The payments of {name} go on."));
    finish(place, Op::Resume { agent }, |_| println!("{said}"), json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_the_first_line_with_its_spaces_and_nothing_of_the_next() {
        for (text, line) in [
            ("correct horse\n", "correct horse"),
            (" correct horse \r\n", " correct horse "),
            ("correct horse\nin my drawer\n", "correct horse"),
            ("correct horse", "correct horse"),
        ] {
            assert_eq!(first_line(text.as_bytes()).expose(), line.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_not_cut() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passphrase");
        std::fs::write(&file, "x".repeat(1024)).unwrap();
        assert!(read_text(Some(file.clone()), "passphrase", MOST).is_err());
        std::fs::write(&file, " 0xab \n").unwrap();
        assert_eq!(read_secret(Some(file), "key").unwrap().expose(), b"0xab");
    }
}
