//! The command line: one verb a file, and one exit status a way of ending.

mod alipay;
mod backup;
mod connect;
mod fetch;
mod gateway;
mod mcp;
mod policy;
mod serve;
mod setup;
mod shell;
mod show;
mod stripe;
mod uninstall;

use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

use crate::{
    app::{self, Place},
    config::Config,
    control::{self, NotRunning, Op, Reply},
};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Denied by policy or a person.
    Denied = 3,
    /// Still waiting for a person.
    Pending = 4,
    /// Not running, or locked out by another instance.
    NotRunning = 5,
}

/// Stands between your AI agents and your money.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    /// Opens this page of the main window at once; only without a verb.
    #[cfg(feature = "gui")]
    #[arg(long, value_name = "PAGE", value_parser = serve::page)]
    show: Option<String>,
    /// Where one runs already, ends and leaves its window where it is: for programs that start Countersign, not people.
    #[cfg(feature = "gui")]
    #[arg(long, hide = true)]
    quietly: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Where keys' names, ledger and policy lie.
    #[arg(long, global = true, env = "COUNTERSIGN_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Configuration file, by default DIR/config.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Machine-readable output.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Runs the service without a window.
    Serve(serve::ServeArgs),
    /// Makes, imports and lists wallets.
    #[command(subcommand)]
    Wallet(setup::WalletVerb),
    /// Pairs agents and revokes them.
    #[command(subcommand)]
    Agent(setup::AgentVerb),
    /// Shows, checks, sets and explains the policy.
    #[command(subcommand)]
    Policy(policy::PolicyVerb),
    /// Stops all payments, or one agent's.
    Pause(setup::Whose),
    /// Lets payments go on: everybody's, or those of an agent that was paused by itself.
    Resume(setup::Whose),
    /// Lists payments.
    History(show::HistoryArgs),
    /// Shows one payment.
    Payment {
        /// Its id.
        id: String,
    },
    /// Checks the whole ledger.
    Verify,
    /// Confirms what start-up found odd, while nothing runs.
    Confirm {
        /// What you looked at and accept.
        #[arg(value_parser = ["policy", "clock", "history"])]
        what: String,
    },
    /// Writes ledger and settings into a new file, also while Countersign runs; not encrypted, and no wallet's key is in it.
    Backup {
        /// Where to; never over a file that is there.
        file: PathBuf,
    },
    /// Puts a backup in the place of ledger and settings, while nothing runs.
    Restore(backup::RestoreArgs),
    /// Puts Countersign into the configuration of an MCP client, after showing the change.
    Connect(connect::ConnectArgs),
    /// Takes back what Countersign put elsewhere: entries in clients, the entry for login, tokens. Ledger and keys stay.
    Uninstall(uninstall::UninstallArgs),
    /// Puts paid MCP servers behind the running Countersign.
    #[command(subcommand)]
    Gateway(gateway::GatewayVerb),
    /// Sets up a merchant at Alipay, whose pages and refunds agents can ask for.
    #[command(subcommand)]
    Alipay(alipay::AlipayVerb),
    /// Sets up a payment method of your Stripe account, with which sellers are paid by tokens.
    #[command(subcommand)]
    Stripe(stripe::StripeVerb),
    /// Fetches a URL and pays its 402 through the running service.
    Fetch(fetch::FetchArgs),
    /// Prints a shell's completion script.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Prints the manual page.
    Man(shell::ManArgs),
    /// Connects an MCP client that starts programs: its stdin and stdout to the running Countersign.
    Mcp(mcp::McpArgs),
}

/// Parses the arguments and runs the verb. Before anything else, the memory that a key may pass through is closed to others.
pub fn main() -> ExitCode {
    countersign_vault::keys::harden::harden_process();
    #[cfg(feature = "gui")]
    {
        crate::gui::clean_environment();
        crate::gui::draw_without_graphics_card();
    }
    let cli = Cli::parse();
    let json = cli.global.json;
    match run(cli) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            let exit = exit_of(&error);
            if json {
                println!("{}", serde_json::json!({"error": format!("{error:#}")}));
            }
            eprintln!("countersign: {error:#}");
            ExitCode::from(exit as u8)
        }
    }
}

/// Somebody looks for the window of what runs already: it comes to the front, and that is all. Where it has none, the error stays.
#[cfg(feature = "gui")]
fn second_start(place: &Place, page: Option<String>, json: bool, error: anyhow::Error) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(control::call(&place.dir, &Op::Raise { page }, show)) {
        Ok(Reply::Done(raised)) => {
            if json {
                println!("{raised}");
            } else {
                println!("Countersign runs already; its window is open.");
            }
            Ok(Exit::Done)
        }
        _ => Err(error),
    }
}

fn in_use(error: &anyhow::Error) -> bool {
    use countersign_vault::{BackupError, OpenError};
    matches!(error.downcast_ref(), Some(OpenError::InUse(_)))
        || matches!(error.downcast_ref(), Some(BackupError::Open(OpenError::InUse(_))))
}

fn exit_of(error: &anyhow::Error) -> Exit {
    if in_use(error) || error.downcast_ref::<NotRunning>().is_some() { Exit::NotRunning } else { Exit::Failed }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    #[cfg(feature = "ui-automation")]
    if cli.global.data_dir.is_none() {
        anyhow::bail!(
            "this build takes synthetic clicks (ui-automation) and touches no ordinary data: say `--data-dir DIR`"
        );
    }
    let place = Place::find(cli.global.data_dir, cli.global.config)?;
    let json = cli.global.json;
    match cli.verb {
        #[cfg(feature = "gui")]
        None => match serve::without_verb(&place, cli.show.clone(), json) {
            Err(error) if in_use(&error) && !cli.quietly => second_start(&place, cli.show, json, error),
            ended => ended,
        },
        #[cfg(not(feature = "gui"))]
        None => serve::without_verb(),
        Some(Verb::Serve(args)) => serve::serve(&place, args, json),
        Some(Verb::Wallet(verb)) => setup::wallet(&place, verb, json),
        Some(Verb::Agent(verb)) => setup::agent(&place, verb, json),
        Some(Verb::Policy(verb)) => policy::run(&place, verb, json),
        Some(Verb::Pause(whose)) => setup::pause(&place, whose, json),
        Some(Verb::Resume(whose)) => setup::resume(&place, whose, json),
        Some(Verb::History(args)) => show::history(&place, args, json),
        Some(Verb::Payment { id }) => finish(&place, Op::Payment { id }, show::payment, json),
        Some(Verb::Verify) => show::verify(&place, json),
        Some(Verb::Confirm { what }) => finish(&place, Op::Confirm { what }, |_| println!("Confirmed."), json),
        Some(Verb::Backup { file }) => backup::make(&place, &file, json),
        Some(Verb::Restore(args)) => backup::restore(&place, &args, json),
        Some(Verb::Connect(args)) => connect::run(&place, &args, json),
        Some(Verb::Uninstall(args)) => uninstall::run(&place, &args, json),
        Some(Verb::Gateway(verb)) => gateway::run(&place, verb, json),
        Some(Verb::Alipay(verb)) => alipay::run(&place, verb, json),
        Some(Verb::Stripe(verb)) => stripe::run(&place, verb, json),
        Some(Verb::Fetch(args)) => fetch::run(&place, args, json),
        Some(Verb::Completions { shell }) => shell::completions(shell),
        Some(Verb::Man(args)) => shell::man(args),
        Some(Verb::Mcp(args)) => mcp::run(place, args),
    }
}

/// Runs a verb and prints what came of it.
fn finish(place: &Place, op: Op, print: impl FnOnce(&serde_json::Value), json: bool) -> anyhow::Result<Exit> {
    match perform(place, op)? {
        Reply::Done(value) => {
            if json {
                println!("{value}");
            } else {
                print(&value);
            }
            Ok(Exit::Done)
        }
        other => Ok(not_done(&other, json)),
    }
}

/// Says why a verb was not carried out.
fn not_done(reply: &Reply, json: bool) -> Exit {
    let (text, exit) = match reply {
        Reply::Done(_) => return Exit::Done,
        Reply::Failed(text) => (text, Exit::Failed),
        Reply::Refused(text) => (text, Exit::Denied),
        Reply::Unanswered(text) => (text, Exit::Pending),
    };
    if json {
        println!("{}", serde_json::json!({"error": text}));
    }
    eprintln!("countersign: {text}");
    exit
}

/// On stderr, so that stdout stays one answer.
fn show(line: &control::Line) {
    match line {
        control::Line::Code { code } => {
            eprintln!("countersign: a person is asked to agree; compare the code on their screen: {code}");
        }
        control::Line::Open { open } => {
            eprintln!("countersign: log in on this page; it opens in your browser where there is one:\n{open}");
            crate::opener::page(open);
        }
        control::Line::Reply(_) => {}
    }
}

/// Carries a verb out: directly while the data directory is free, else through the running Countersign.
fn perform(place: &Place, op: Op) -> anyhow::Result<Reply> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match control::call(&place.dir, &op, show).await {
            Err(error) if error.downcast_ref::<NotRunning>().is_some() => {}
            reply => return reply,
        }
        if op.needs_one_that_runs() {
            return Err(NotRunning::in_dir(&place.dir).into());
        }
        let config = Config::load(&place.config)?;
        let vault = app::open_vault(place, &config, std::sync::Arc::new(countersign_vault::SystemClock), false)?;
        let registry = config.registry()?;
        let result = control::perform(&vault, &registry, op, countersign_vault::SetBy::Command).await;
        vault.shutdown().await;
        Ok(match result {
            Ok(value) => Reply::Done(value),
            Err(error) => Reply::Failed(format!("{error:#}")),
        })
    })
}
