//! The kill loop: the service is killed at random moments, hundreds of times, while agents pay, fetch and ask. Whatever left it is
//! recorded here, in another process, and held against the ledger after each kill.
//!
//! The same loop runs against a deliberately wrong order (sign before the commit), and must catch it.

mod left;
mod seller;
mod traffic;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::support::{Client, Place, Service};
use left::Left;
use seller::Seller;
use tokio::task::JoinSet;
use traffic::{AGENTS, Traffic};

/// So many kills hit one data directory; then the next begins, because checking a ledger takes as long as the ledger is.
const KILLS_OF_ONE_PLACE: usize = 25;
/// So many services are killed side by side, each in a place of its own: a loop mostly waits.
const LANES: usize = 3;

/// What a loop saw.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    kills: usize,
    with_work: usize,
    /// Checks of the whole ledger, one after each kill and one at the end of each place.
    verified: usize,
    /// Signatures that were asked for again after a restart and came back, equal or not.
    derived: usize,
    /// Credentials that left: paid by the caller, by our own request, after a person's yes, by our own request and MPP.
    credentials: [usize; 4],
    /// Payments the budget refused.
    over_budget: usize,
    violations: Vec<String>,
}

impl Seen {
    fn add(&mut self, lane: Self) {
        self.kills += lane.kills;
        self.with_work += lane.with_work;
        self.verified += lane.verified;
        self.derived += lane.derived;
        self.over_budget += lane.over_budget;
        self.violations.extend(lane.violations);
        for (sum, n) in self.credentials.iter_mut().zip(lane.credentials) {
            *sum += n;
        }
    }
}

/// A small generator with a printed seed; the loop needs variety, not quality.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn policy(cap: u128) -> String {
    format!(
        "format = 1\nname = \"kills\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
         rule = [\n\
           {{ id = \"small\", effect = \"allow\", when = {{ exposure = {{ le = \"0.01\" }} }} }},\n\
           {{ id = \"larger\", effect = \"ask\", when = {{ exposure = {{ gt = \"0.01\" }} }} }},\n\
         ]\n\
         budget = [{{ id = \"cap\", scope = [], window = \"lifetime\", max_amount = \"{}.{:06}\", on_exceed = \"deny\" }}]\n",
        cap / 1_000_000,
        cap % 1_000_000
    )
}

/// The kills, shared out among the lanes.
async fn run(kills: usize, environment: &'static [(&str, &str)]) -> Seen {
    let seed = std::env::var("COUNTERSIGN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x9E37_79B9_7F4A_7C15);
    println!("kill loop: {kills} kills in {LANES} lanes, seed {seed} (set COUNTERSIGN_SEED to repeat)");
    let share = |lane: usize| kills / LANES + usize::from(lane < kills % LANES);
    let lanes: JoinSet<Seen> =
        (0..LANES).zip(seed..).map(|(lane, seed)| lane_of(share(lane), Dice(seed), environment)).collect();
    let mut seen = Seen::default();
    for lane in lanes.join_all().await {
        seen.add(lane);
    }
    seen
}

/// Every second place has a cap of three quarters of what the place before it spent, so that its agents run into it.
async fn lane_of(kills: usize, mut dice: Dice, environment: &[(&str, &str)]) -> Seen {
    let mut seen = Seen::default();
    let mut spent = None;
    while seen.kills < kills && seen.violations.len() <= 20 {
        let cap = spent.take().map_or(1_000_000_000, |spent: u128| spent * 3 / 4);
        let stand = Stand::new(cap).await;
        stand.run(KILLS_OF_ONE_PLACE.min(kills - seen.kills), &mut dice, environment, &mut seen).await;
        spent = (cap == 1_000_000_000).then(|| stand.left.spent());
    }
    seen
}

/// One data directory with its agents and their seller.
struct Stand {
    place: Place,
    tokens: Vec<String>,
    client: Client,
    seller: Seller,
    left: Arc<Left>,
}

impl Stand {
    async fn new(cap: u128) -> Self {
        let (place, _) = Place::with_wallet(
            "[limits]\nrequests_per_second = 100000\nburst = 100000\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n",
        );
        place.policy(&policy(cap));
        let left = Arc::new(Left::new(cap));
        let seller = Seller::start(left.clone()).await;
        let tokens = AGENTS.iter().map(|name| place.agent(name)).collect();
        Self { place, tokens, client: Client::new("", ""), seller, left }
    }

    async fn run(&self, kills: usize, dice: &mut Dice, environment: &[(&str, &str)], seen: &mut Seen) {
        for round in 0..kills {
            let service = self.serve(environment);
            let traffic = self.traffic(&service);
            traffic.derive_again(self.left.take_fresh(), seen).await;
            let mut tasks = traffic.start(round, if round % 2 == 0 { 8 } else { 32 });
            // Most kills come once credentials flow, a few of them after a person's yes; the others while the first ones are on
            // their way.
            match dice.roll(10) {
                0 => self.approved().await,
                1..=5 => drop(tokio::time::timeout(Duration::from_secs(2), traffic.first.notified()).await),
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(3 + dice.roll(38))).await;
            let in_flight = traffic.flying.load(Ordering::SeqCst);
            service.kill();
            tasks.shutdown().await;
            seen.kills += 1;
            seen.with_work += usize::from(in_flight > 0);
            seen.over_budget += traffic.over_budget.load(Ordering::SeqCst);
            self.check(round, seen);
        }
        let service = self.serve(environment);
        self.traffic(&service).derive_again(self.left.keys(), seen).await;
        service.stop();
        self.check(kills, seen);
        for (sum, n) in seen.credentials.iter_mut().zip(self.left.credentials()) {
            *sum += n;
        }
    }

    /// Until one more credential left after a person's yes, or for a while.
    async fn approved(&self) {
        let before = self.left.credentials()[2];
        for _ in 0..400 {
            if self.left.credentials()[2] > before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn serve(&self, environment: &[(&str, &str)]) -> Service {
        let mut service = self.place.serve_with("terminal", environment);
        service.says_yes_to_everything();
        service
    }

    fn traffic(&self, service: &Service) -> Traffic {
        Traffic::new(&self.client, &service.url, &self.tokens, &self.seller.url, self.left.clone())
    }

    /// What left, against the cap and against itself; then the whole ledger.
    fn check(&self, round: usize, seen: &mut Seen) {
        seen.violations.extend(self.left.violations());
        let output = self.place.run(&["verify", "--json"]);
        seen.verified += 1;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout);
            seen.violations.push(format!("verify failed after kill {round}: {said}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn killed_at_any_moment_nothing_is_lost_doubled_or_over_the_cap() {
    let kills = std::env::var("COUNTERSIGN_KILLS").ok().and_then(|k| k.parse().ok()).unwrap_or(300);
    let seen = run(kills, &[]).await;
    println!(
        "{} kills, {} with work in flight, {:?} credentials left (paid, fetched, approved, by MPP), {} derived again, {} over budget, {} checks",
        seen.kills, seen.with_work, seen.credentials, seen.derived, seen.over_budget, seen.verified
    );
    assert_eq!(seen.violations, Vec::<String>::new());
    assert_eq!(seen.kills, kills);
    assert!(seen.verified > kills, "only {} checks of the whole ledger", seen.verified);
    assert!(seen.with_work * 10 >= kills * 9, "only {} of {kills} kills came while work was in flight", seen.with_work);
    let sum: usize = seen.credentials.iter().sum();
    assert!(sum >= kills, "the loop was idle: {sum} credentials");
    assert!(seen.credentials.iter().all(|n| n * 50 >= kills), "one way of paying was idle: {:?}", seen.credentials);
    assert!(seen.derived >= sum, "every credential that left was asked for again: {} of {sum}", seen.derived);
    assert!(kills < LANES * 2 * KILLS_OF_ONE_PLACE || seen.over_budget > 0, "no agent ever reached the cap");
}

#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn the_same_loop_catches_a_service_that_signs_before_it_writes() {
    let seen = run(40, &[("COUNTERSIGN_FAULT", "sign_before_commit")]).await;
    println!("{} kills of the wrong order, {} violations", seen.kills, seen.violations.len());
    assert!(!seen.violations.is_empty(), "the loop cannot see the fault it is there for");
}
