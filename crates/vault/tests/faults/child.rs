//! A ledger in a process of its own, paying until it is done, killed or out of luck; and what must be true of it afterwards.

use countersign_core::policy::Policy;
use countersign_vault::{
    Admitted, Clock as _, Faults, Health, Limits, Open, Reserved, SystemClock, Vault, VaultError,
    keys::{Keys, Secret, file},
};
use std::{
    collections::BTreeMap,
    io::stdout,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use crate::support::{Home, Shop, budget_policy, wait, yes};

/// The test that is the child instead when its environment says so.
const TEST: &str = "points::killed_at_each_of_twelve_places_nothing_is_lost_or_doubled";
const DIR: &str = "COUNTERSIGN_CHILD_DIR";
const LIVES: &str = "COUNTERSIGN_CHILD_LIVES";
const EARLY: &str = "COUNTERSIGN_CHILD_ANSWERS_EARLY";
const SYSTEM_CLOCK: &str = "COUNTERSIGN_CHILD_SYSTEM_CLOCK";
/// Payments of one life, 0.03 each.
const PAYMENTS: usize = 6;
/// The cap, in atomic units.
pub const CAP: u128 = 1_500_000;

/// Where a child's data lies: the ledger in `data`, the keys in `keys`.
pub struct Stand {
    pub home: Home,
    pub dir: PathBuf,
    system_clock: bool,
}

impl Stand {
    /// In this directory. With the system's clock, or one that stands still.
    pub fn at(dir: &Path, system_clock: bool) -> Self {
        std::fs::create_dir_all(dir.join("keys")).unwrap();
        Self { home: Home::with(policy()), dir: dir.to_owned(), system_clock }
    }

    /// Everything a vault needs here.
    pub fn settings(&self) -> Open {
        let passphrase = Secret::copy_of(b"only for tests");
        let cheapest = file::Cost { memory_kib: 8, passes: 1 };
        let store = file::FileStore::open_with_cost(&self.dir.join("keys"), &passphrase, cheapest).unwrap();
        let limits = Limits { prompts_per_minute: 1000, ..Limits::default() };
        let open =
            Open { dir: self.dir.join("data"), keys: Keys::start(Box::new(store)), limits, ..self.home.settings() };
        if self.system_clock { Open { clock: Arc::new(SystemClock), ..open } } else { open }
    }

    /// Opened, with a wallet and the agent, as far as they are missing.
    pub fn shop(&self) -> Shop {
        let vault = Vault::open(self.settings()).unwrap();
        let paired = wait(vault.list_agents()).unwrap().iter().any(|agent| agent.name.as_str() == "a");
        self.home.shop(vault, if paired { &[] } else { &["a"] })
    }

    /// The command that runs a child here, through these words if any.
    pub fn command(&self, through: &[&str], program: &Path) -> Command {
        let own = program.to_str().unwrap();
        let words: Vec<&str> = through.iter().copied().chain([own, "--exact", TEST, "--nocapture"]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env(DIR, &self.dir);
        if self.system_clock {
            command.env(SYSTEM_CLOCK, "1");
        }
        command
    }

    /// The lines a child said, by their first word.
    pub fn run(&self, command: &mut Command) -> Said {
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().filter_map(|line| line.strip_prefix("child "));
        let lines = lines.map(|line| line.split(' ').map(str::to_owned).collect()).collect();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        Said { lines, killed: std::os::unix::process::ExitStatusExt::signal(&output.status), errors }
    }

    /// Opens again, in this process: all that was handed out is there, counted, and derives again; all is sound.
    pub fn audit(&self, said: &Said) -> Result<usize, String> {
        let shop = self.shop();
        if shop.vault.health() != Health::Ok {
            return Err(format!("{:?}", shop.vault.health()));
        }
        let faults = shop.faults();
        if !faults.is_empty() {
            return Err(format!("{faults:?}"));
        }
        let page = countersign_vault::Filter { limit: 500, ..Default::default() };
        let payments = wait(shop.vault.payments(page)).map_err(|e| e.to_string())?.payments;
        let held = payments.iter().filter(|payment| payment.status.holds());
        let held: u128 = held.map(|payment| payment.quote.exposure_value.unwrap().0).sum();
        if held > CAP {
            return Err(format!("{held} held, the cap is {CAP}"));
        }
        let signed = said.signed()?;
        for (key, (units, bytes)) in &signed {
            let Ok(Admitted::Same(record)) = wait(shop.vault.admit(shop.purchase("a", key, units))) else {
                return Err(format!("{key} was handed out and is unknown"));
            };
            let again = wait(shop.vault.sign_again(&record.id)).map_err(|e| e.to_string())?;
            if again.is_none_or(|again| hex(&again.forms()[0].1) != *bytes) {
                return Err(format!("{key} was handed out and has another signature, or none"));
            }
        }
        Ok(signed.len())
    }
}

/// What a child said, and which signal ended it.
pub struct Said {
    pub lines: Vec<Vec<String>>,
    pub killed: Option<i32>,
    errors: String,
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "ended by {:?}", self.killed)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{}", line.join(" ")))?;
        f.write_str(&self.errors)
    }
}

impl Said {
    /// How many lines begin so.
    pub fn count(&self, word: &str) -> usize {
        self.lines.iter().filter(|line| line[0] == word).count()
    }

    /// Amount and signature by key; an error is a key with two signatures.
    fn signed(&self) -> Result<BTreeMap<String, (String, String)>, String> {
        let mut signed: BTreeMap<String, (String, String)> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line[0] == "signed") {
            let new = (line[2].clone(), line[3].clone());
            if signed.insert(line[1].clone(), new.clone()).is_some_and(|old| old != new) {
                return Err(format!("{} has two signatures", line[1]));
            }
        }
        Ok(signed)
    }
}

fn policy() -> Policy {
    budget_policy("1.50", "lifetime")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A whole line in one write that no preloaded library stands in front of.
fn say(words: &[&str]) {
    let line = format!("child {}\n", words.join(" "));
    rustix::io::write(stdout().as_fd(), line.as_bytes()).unwrap();
}

/// What [`Stand::command`] runs: whether this process is a child, and has paid.
pub fn paid_as_told() -> bool {
    let Some(dir) = std::env::var_os(DIR) else { return false };
    // The line of the test's name is not ours to share.
    rustix::io::write(stdout().as_fd(), b"\n").unwrap();
    let stand = Stand::at(Path::new(&dir), std::env::var_os(SYSTEM_CLOCK).is_some());
    let lives = std::env::var(LIVES).ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    for life in 0..lives {
        let faults = Arc::new(Faults::default());
        let mut open = stand.settings();
        if std::env::var_os(EARLY).is_some() {
            faults.answer_before_commit();
            open.faults = Some(faults);
        }
        match Vault::open(open) {
            Err(error) => say(&["error", "open", &error.to_string()]),
            Ok(vault) => {
                say(&["health", &format!("{:?}", vault.health())]);
                one_life(&stand, vault, life);
            }
        }
    }
    say(&["end"]);
    true
}

fn one_life(stand: &Stand, vault: Vault, life: usize) {
    if vault.health() == Health::Ok && vault.wallets().is_empty() {
        let made = wait(vault.create_wallet("main")).map(|_| ());
        let paired = wait(vault.add_agent(&"a".parse().unwrap(), false, countersign_vault::SetBy::Person)).map(|_| ());
        if let Err(error) = made.and(paired) {
            say(&["error", "wallet", &error.to_string()]);
        }
    }
    let wallet = vault.wallets().first().map(|w| w.address.clone()).unwrap_or_default();
    say(&["wallet", &wallet]);
    let wallet = if wallet.is_empty() { crate::support::SELLER.to_owned() } else { wallet };
    let shop = Shop { vault, wallet, clock: stand.home.clock.clone() };
    for n in 0..PAYMENTS {
        if stand.system_clock {
            stand.home.clock.set_wall(SystemClock.wall());
        }
        // The fifth asks, and the person says yes; the sixth is dropped.
        let units = if n == 4 { "110000" } else { "30000" };
        for _ in 0..2 {
            if pay(&shop, &format!("{}-{life}-{n}", std::process::id()), units, n == 5) {
                break;
            }
        }
    }
}

/// One try; whether it came to an answer.
fn pay(shop: &Shop, key: &str, units: &str, drop_it: bool) -> bool {
    let told = |error: &VaultError| say(&["error", key, &error.to_string()]);
    let signed = match wait(shop.vault.admit(shop.purchase("a", key, units))) {
        Ok(Admitted::Reserved(_)) if drop_it => return true,
        Ok(Admitted::Reserved(reservation)) => shop.vault.sign(*reservation).ok(),
        Ok(Admitted::Same(record)) => wait(shop.vault.sign_again(&record.id)).ok().flatten(),
        Ok(Admitted::Waiting(waiting)) => {
            say(&["asked", key, &waiting.record.decision.rule]);
            let forms = shop.forms(&waiting.record.quote);
            match wait(shop.vault.reserve(yes(*waiting), forms)) {
                Ok(Reserved::Reservation(reservation)) => shop.vault.sign(*reservation).ok(),
                Ok(_) => None,
                Err(error) => {
                    told(&error);
                    return false;
                }
            }
        }
        Ok(Admitted::Refused(_) | Admitted::Joined(_) | Admitted::TooMany { .. } | Admitted::Conflict) => None,
        Err(error) => {
            told(&error);
            return false;
        }
    };
    if let Some(signed) = signed {
        say(&["signed", key, units, &hex(&signed.forms()[0].1)]);
        shop.vault.mark_delivered(&signed.record().id);
    }
    true
}
