//! Wiring: configuration → vault, rails, desk, servers. The whole app is built here; nothing is filled in later.

use anyhow::{Context as _, bail};
use countersign_core::{policy::Policy, signable::handed::ALIPAY_BOT};
use countersign_desk::{
    Desk, DeskParts, Habits,
    approver::Approver,
    buyer::Buyer,
    provider::Provider,
    settle::Node,
    wire::{Wire, WireLimits},
};
use countersign_vault::{
    Clock, Health, Limits, Open, SystemClock, Vault,
    keys::{KeyStore, Keys, Secret, file::FileStore, os::OsStore},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    alipay::{Alipay, AlipayBot},
    bridge,
    config::{Config, Store},
    control,
    door::{self, Door},
    gateway::{self, Gateway, Together},
    http::{self, Entrances},
    mcp,
    stripe::Stripe,
};

/// Where everything of one Countersign lies.
#[derive(Debug, Clone)]
pub struct Place {
    /// The data directory.
    pub dir: PathBuf,
    /// The configuration file.
    pub config: PathBuf,
}

impl Place {
    /// The given directory and file, or the platform's own.
    pub fn find(dir: Option<PathBuf>, config: Option<PathBuf>) -> anyhow::Result<Self> {
        let dir = match dir {
            Some(dir) => dir,
            None => directories::ProjectDirs::from("org", "countersign", "countersign")
                .context("this system has no place for application data; say `--data-dir DIR`")?
                .data_dir()
                .to_owned(),
        };
        let dir = std::path::absolute(&dir).with_context(|| format!("the data directory {}", dir.display()))?;
        let config = config.unwrap_or_else(|| dir.join("config.toml"));
        Ok(Self { dir, config })
    }
}

/// Opens the ledger and the keys of a place. `serving` accepts a loosening that our own commands made while nothing ran.
pub fn open_vault(place: &Place, config: &Config, clock: Arc<dyn Clock>, serving: bool) -> anyhow::Result<Vault> {
    let registry = Arc::new(config.registry()?);
    let first = Policy::preset("everyday", registry.reference()).context("the starter policy is missing")?;
    make_private(&place.dir)?;
    let mut open = Open::new(place.dir.clone(), clock, keys(place, config)?, registry, first);
    open.config_text = config.loosening();
    open.accept_unconfirmed = serving;
    open.limits = Limits {
        per_agent_waiting: config.approval.max_pending_per_agent,
        approval_seconds: config.approval.timeout_seconds,
        ..Limits::default()
    };
    #[cfg(feature = "faults")]
    {
        open.faults = crate::faults::of_the_test();
    }
    Ok(Vault::open(open)?)
}

/// The keys of a place.
pub fn keys(place: &Place, config: &Config) -> anyhow::Result<Keys> {
    Ok(Keys::start(key_store(place, config)?))
}

fn key_store(place: &Place, config: &Config) -> anyhow::Result<Box<dyn KeyStore>> {
    let store: Box<dyn KeyStore> = match config.keys.store {
        Store::Os => Box::new(OsStore::new(&place.dir)?),
        Store::File => {
            let Some(path) = &config.keys.passphrase_file else {
                bail!("keys.store = \"file\" needs keys.passphrase_file in {}", place.config.display());
            };
            Box::new(FileStore::open(&place.dir, &passphrase(path)?)?)
        }
    };
    #[cfg(feature = "faults")]
    let store = Box::new(crate::faults::Breaking(store));
    Ok(store)
}

/// The first line of a file that only its owner can read.
fn passphrase(path: &Path) -> anyhow::Result<Secret> {
    let bytes = std::fs::read(path).with_context(|| format!("reading the passphrase file {}", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path)?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!("the passphrase file {} can be read by others; run: chmod 600 {0}", path.display());
        }
    }
    let whole = Secret::new(bytes);
    let line = whole.expose().split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        bail!("the passphrase file {} is empty", path.display());
    }
    Ok(Secret::copy_of(line))
}

/// Makes a directory that only this user can use.
pub fn make_private(dir: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).with_context(|| format!("making the data directory {}", dir.display()))
}

/// A Countersign that serves.
pub struct Running {
    /// The desk.
    pub desk: Arc<Desk>,
    /// The merchant at Alipay, which a page shows.
    #[cfg(feature = "gui")]
    pub alipay: Arc<Alipay>,
    /// Where agents come in.
    pub listening: http::Listening,
    settling: tokio::task::JoinHandle<()>,
    renewing: tokio::task::JoinHandle<()>,
    locking: tokio::task::JoinHandle<()>,
}

/// Builds and starts everything around an open vault.
pub async fn start(
    place: &Place,
    config: &Config,
    vault: Vault,
    approver: Arc<dyn Approver>,
    port: Option<u16>,
) -> anyhow::Result<Running> {
    let limits = WireLimits {
        max_response_bytes: config.fetch.max_response_bytes,
        timeout: Duration::from_secs(config.fetch.timeout_seconds),
    };
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    let node = |url| Node::new(client.clone(), url);
    let wire = Wire::new(config.fetch.allow_private_hosts.iter().cloned(), limits)?;
    let alipay = Alipay::open(vault.clone(), &wire, Arc::new(SystemClock)).await;
    let provider: Arc<dyn Provider> = alipay.clone();
    let bot: Arc<dyn Buyer> = Arc::new(AlipayBot::new(&config.alipay.program, &place.dir));
    let stripe = Stripe::open(vault.clone(), &wire, Arc::new(SystemClock)).await;
    let tokens: Arc<dyn Provider> = stripe.clone();
    let desk = Desk::new(DeskParts {
        vault,
        rails: config.rails()?,
        registry: Arc::new(config.registry()?),
        wire: wire.clone(),
        approver: approver.clone(),
        clock: Arc::new(SystemClock),
        nodes: config
            .nodes()?
            .into_iter()
            .map(|(network, urls)| (network, urls.into_iter().map(node).collect()))
            .collect(),
        providers: BTreeMap::from([("alipay", provider), ("stripe/charge", tokens)]),
        buyers: BTreeMap::from([(ALIPAY_BOT, bot)]),
        issuer: Some(stripe.clone()),
        habits: Habits::new(config.fetch.keep_hours, config.keys.lock_after_minutes),
        approval_seconds: config.approval.timeout_seconds,
    });
    let sessions = Arc::new(http::Sessions::default());
    let patience = Duration::from_secs(config.approval.timeout_seconds);
    let gateway = Gateway::open(&place.dir, desk.vault().clone(), wire, approver.clone(), patience)?;
    let gateway = Arc::new(gateway);
    let counter = control::Counter {
        desk: desk.clone(),
        approver,
        sessions: sessions.clone(),
        gateway: gateway.clone(),
        alipay: alipay.clone(),
        stripe,
        patience,
        pairing: control::Pairing::default(),
    };
    if let Some(door) = opened(place, door::CONTROL, desk.vault()).await? {
        control::serve(door, counter);
    }
    let entrances = Entrances {
        port: config.server.enabled.then(|| port.unwrap_or(config.server.port)),
        door: opened(place, door::AGENTS, desk.vault()).await?,
    };
    let mcp = mcp::Mcp::new(&place.dir, &config.mcp)?;
    let listening = http::serve(desk.clone(), sessions, alipay.clone(), config, entrances, |app| {
        mcp.router(app.clone(), Arc::new(Together(gateway.clone()))).merge(gateway::router(app, gateway))
    })
    .await?;
    let settling = tokio::spawn(desk.clone().settle());
    let renewing = tokio::spawn(bridge::renew::for_ever(desk.vault().clone(), place.dir.clone()));
    let locking = tokio::spawn(desk.clone().lock_idle_wallets());
    Ok(Running {
        desk,
        #[cfg(feature = "gui")]
        alipay,
        listening,
        settling,
        renewing,
        locking,
    })
}

/// The socket of this name, or none where nothing can be written: there is still something to look at.
async fn opened(place: &Place, name: &str, vault: &Vault) -> anyhow::Result<Option<Door>> {
    match Door::open(&place.dir, name).await {
        Ok(door) => Ok(Some(door)),
        Err(error) if matches!(vault.health(), Health::ViewOnly(_)) => {
            tracing::warn!(%error, "there is no {name}: whoever comes in by it cannot reach this Countersign");
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("opening {name} in {}", place.dir.display())),
    }
}

impl Running {
    /// Stops accepting, lets open requests end, and closes the ledger cleanly.
    pub async fn stop(self) {
        self.listening.stop().await;
        for task in [self.settling, self.renewing, self.locking] {
            task.abort();
            let _ = task.await;
        }
        self.desk.vault().clone().shutdown().await;
    }
}
