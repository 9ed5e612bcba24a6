//! The Activity page over a million payments: every filter, search and chart against the same over ten thousand, and its first paint
//! against that of an empty ledger.

use countersign_core::{Millis, calendar::Calendar, money::Micro};
use countersign_desk::view::status_of;
use countersign_vault::{
    Clock as _, SystemClock, Vault,
    activity::{Activity, By, Find, Period},
};
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    history::{self, AGENT, SPAN_MS},
    payments::CONFIG,
    support::{Place, service::PATIENCE},
    table::{Table, percentile},
    window::{readable, shown},
};

/// Payments of the smaller ledger.
const SMALL: u64 = 10_000;
/// Times that each question is put to both, in turns.
const TIMES: usize = 51;
/// Starts of the app on each ledger.
const STARTS: usize = 7;
const BAR: &str = "≤ 3";
const LONG: Duration = Duration::from_secs(3600);

/// Fills two ledgers, reads both to their end and puts the same questions to both; then opens the page on the full one and on none.
pub async fn run(table: &mut Table) {
    let rows = history::rows();
    let (full, small, empty) = (Place::new(CONFIG), Place::new(CONFIG), Place::with_wallet(CONFIG).0);
    history::write(&full, rows).await;
    history::write(&small, SMALL).await;
    empty.ok(&["confirm", "policy", "--json"]);
    rustix::fs::sync();
    let both = [Told::of(&full), Told::of(&small)];
    let finds = both.each_ref().map(Told::finds);
    for (n, (name, _)) in finds[0].iter().enumerate() {
        let [ours, against] =
            turns([0, 1].map(|i| (&both[i], &finds[i][n].1)).map(|(told, find)| move || black_box(told.find(find))));
        table.durations(&format!("activity of {rows}, {name}, p50, against {SMALL}"), ours, against, BAR);
    }
    for (name, days, by) in
        [("week by agent", 7, By::Agent), ("month by payee", 30, By::Payee), ("year by rail", 365, By::Rail)]
    {
        let [ours, against] = turns(both.each_ref().map(|told| move || black_box(told.sums(days, by))));
        table.durations(&format!("activity of {rows}, chart of a {name}, p50, against {SMALL}"), ours, against, BAR);
    }
    let [ours, against] = turns(both.each_ref().map(|told| move || black_box(told.choices())));
    table.durations(&format!("activity of {rows}, choices of the filters, p50, against {SMALL}"), ours, against, BAR);
    for told in both {
        told.vault.shutdown().await;
    }
    if std::env::var_os("DISPLAY").is_none() {
        eprintln!("there is no display: the first paint is left out");
        return;
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        without.push(painted(&empty));
        with.push(painted(&full));
    }
    let (with, without) = (percentile(&mut with, 50), percentile(&mut without, 50));
    let name = format!("start of the app to a painted Activity page of {rows}, p50, against an empty ledger");
    table.durations(&name, with, without, "≤ 2");
}

/// A ledger and the read model that has read all of it.
struct Told {
    vault: Vault,
    activity: Activity,
    calendar: Calendar,
}

impl Told {
    fn of(place: &Place) -> Self {
        let vault = history::open(place, Arc::new(SystemClock));
        let activity = vault.activity(|record| status_of(record).as_str());
        let calendar = Calendar::of("UTC");
        let began = Instant::now();
        while activity.catch_up(&calendar, LONG).expect("a ledger") > 0 {}
        eprintln!("the read model was made in {:.1} s", began.elapsed().as_secs_f64());
        Self { vault, activity, calendar }
    }

    /// What a person may look for, in play money, which all of it is. Names and places in the list are this ledger's own.
    fn finds(&self) -> Vec<(&'static str, Find)> {
        let any = || Find { test: true, limit: 100, ..Find::default() };
        let middle = Millis(SystemClock.wall().0 - SPAN_MS / 2);
        let half = self.activity.find(&self.calendar, &Find { until: Some(middle), ..any() }).expect("older payments");
        let one = half.lines.first().expect("a payment in the middle");
        let with = |text: &str| Find { text: text.to_owned(), ..any() };
        let agent = || Some(AGENT.to_owned());
        let state = || Some(one.state.clone());
        vec![
            ("first page", any()),
            ("page in the middle", Find { cursor: half.next, ..any() }),
            ("one agent", Find { agent: agent(), ..any() }),
            ("one payee", Find { payee: Some(one.payee.clone()), ..any() }),
            ("one state", Find { state: state(), ..any() }),
            ("one protocol", Find { rail: Some("x402".to_owned()), ..any() }),
            ("agent and state", Find { agent: agent(), state: state(), ..any() }),
            ("amounts that all have", Find { min: Some(Micro(1)), ..any() }),
            ("amounts that none has", Find { min: Some(Micro(1_000_000_000)), ..any() }),
            ("one day", Find { since: Some(Millis(middle.0 - 24 * 3_600_000)), until: Some(middle), ..any() }),
            ("search for a letter", with("r")),
            ("search for a word of all", with(AGENT)),
            ("search for a host", with("api.example")),
            ("search for a host, in the middle", Find { cursor: half.next, ..with("api.example") }),
            ("search for one payment", with(one.id.as_str())),
            ("search for the beginning of a transaction", with("0x0000")),
            ("search in vain", with("nobody")),
            ("search, agent and state", Find { agent: agent(), state: state(), ..with("exam") }),
            ("search and amounts that none has", Find { min: Some(Micro(1_000_000_000)), ..with("exam") }),
        ]
    }

    fn find(&self, find: &Find) -> usize {
        self.activity.find(&self.calendar, find).expect("a page").lines.len()
    }

    fn sums(&self, days: i64, by: By) -> usize {
        let to = self.calendar.day(SystemClock.wall());
        let period = Period { from: to.plus(1 - days), to };
        self.activity.sums(&self.calendar, true, period, by).expect("sums").days.len()
    }

    fn choices(&self) -> usize {
        self.activity.choices(&self.calendar).expect("choices").agents.len()
    }
}

/// The median time of two things, done in turns.
fn turns<T>(mut both: [impl FnMut() -> T; 2]) -> [Duration; 2] {
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..TIMES {
        for (run, took) in both.iter_mut().zip(&mut took) {
            let began = Instant::now();
            run();
            took.push(began.elapsed());
        }
    }
    took.map(|mut all| percentile(&mut all, 50))
}

/// From the start of the app to a page that can be read.
fn painted(place: &Place) -> Duration {
    let began = Instant::now();
    let service = place.desktop_on("activity");
    let window = shown("^Countersign$");
    while !readable(&window) {
        assert!(began.elapsed() < PATIENCE, "the page was not painted");
    }
    let took = began.elapsed();
    service.stop();
    took
}
