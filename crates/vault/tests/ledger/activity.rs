//! The read model: it tells what the ledger tells, and can be lost at any time.

use countersign_core::{
    Millis,
    calendar::{Calendar, Day},
    money::Micro,
    payment::Op,
    policy::Policy,
    status::{Event, Settlement, Status},
};
use countersign_vault::{
    Admitted, Clock as _, Record,
    activity::{Activity, By, Find, Found, Period, Sums},
};
use std::time::Duration;

use crate::support::{Home, Shop, budget_policy, wait};

const LONG: Duration = Duration::from_secs(60);

fn word(record: &Record) -> &'static str {
    record.status.as_str()
}

fn utc() -> Calendar {
    Calendar::of("UTC")
}

/// A read model that has read everything.
fn whole(shop: &Shop) -> Activity {
    wait(shop.vault.flush());
    let activity = shop.vault.activity(word);
    assert_eq!(activity.catch_up(&utc(), LONG).unwrap(), 0);
    activity
}

fn all(activity: &Activity, find: Find) -> Found {
    activity.find(&utc(), &Find { limit: 500, ..find }).unwrap()
}

fn count(activity: &Activity, find: Find) -> usize {
    all(activity, find).lines.len()
}

fn sums(activity: &Activity, calendar: &Calendar, by: By) -> Sums {
    let period = Period { from: Day::parse("2026-11-02").unwrap(), to: Day::parse("2026-11-30").unwrap() };
    activity.sums(calendar, false, period, by).unwrap()
}

fn generous() -> Policy {
    budget_policy("900.00", "calendar:day")
}

#[test]
fn lines_and_sums_are_what_the_ledger_tells() {
    let home = Home::with(generous());
    let shop = home.open_for(&["a", "b"]);
    let paid = shop.paid("a", "one", "20000");
    shop.paid("b", "two", "30000");
    let waits = shop.waiting("a", "three", "5000000", "/dear").record.id;
    let activity = whole(&shop);
    let found = all(&activity, Find::default());
    let told: Vec<_> = found.lines.iter().map(|l| (l.agent.as_str(), l.value.unwrap().0, l.state.as_str())).collect();
    assert_eq!(told, [("a", 5_000_000, "waiting"), ("b", 30_000, "delivered"), ("a", 20_000, "delivered")]);
    assert_eq!((found.lines[2].id.clone(), found.lines[0].amount.as_str(), found.next), (paid, "5 USDC", None));
    let by_agent = sums(&activity, &utc(), By::Agent);
    assert_eq!((by_agent.all.value, by_agent.all.count), (50_000, 2), "what waits is not spent");
    assert_eq!(
        by_agent.names.iter().map(|(n, s)| (n.as_str(), s.value)).collect::<Vec<_>>(),
        [("b", 30_000), ("a", 20_000)]
    );
    let year = Period { from: Day::parse("2026-01-01").unwrap(), to: Day::parse("2026-12-31").unwrap() };
    let months = activity.sums(&utc(), false, year, By::Agent).unwrap();
    assert_eq!((months.all, &months.names), (by_agent.all, &by_agent.names));
    assert_eq!(months.days.keys().map(ToString::to_string).collect::<Vec<_>>(), ["2026-11-01"]);
    // It follows: the question ends.
    wait(shop.vault.end_waiting(&waits, Event::Declined, "window")).unwrap();
    assert_eq!(activity.catch_up(&utc(), LONG).unwrap(), 0);
    let states = [("waiting", 0), ("refused", 1), ("delivered", 2)];
    for (state, lines) in states {
        assert_eq!(count(&activity, Find { state: Some(state.into()), ..Find::default() }), lines, "{state}");
    }
}

#[test]
fn money_that_comes_in_is_listed_and_not_spent() {
    let home = Home::with(generous());
    let shop = home.open_for(&["a"]);
    shop.paid("a", "one", "20000");
    let mut page = shop.quote("30000", "/page");
    page.op = Op::ReceiveLink;
    let Admitted::Reserved(reserved) = wait(shop.vault.admit(shop.request_for("a", "two", page))).unwrap() else {
        panic!("it was not allowed");
    };
    shop.vault.sign(*reserved).unwrap();
    let activity = whole(&shop);
    assert_eq!(count(&activity, Find::default()), 2);
    assert_eq!(sums(&activity, &utc(), By::Agent).all.value, 20_000);
}

#[test]
fn what_was_proved_unused_is_taken_out_of_the_sums() {
    let home = Home::with(generous());
    let shop = home.open_for(&["a"]);
    let paid = shop.paid("a", "one", "20000");
    let activity = whole(&shop);
    assert_eq!(sums(&activity, &utc(), By::Rail).all.value, 20_000);
    home.clock.advance_ms(400_000);
    wait(shop.vault.advance(&paid, Event::Dead, Settlement::Failed, serde_json::json!({}))).unwrap();
    activity.catch_up(&utc(), LONG).unwrap();
    let after = sums(&activity, &utc(), By::Rail);
    assert_eq!((after.all.value, after.all.count, after.names.len(), after.days.len()), (0, 0, 0, 0));
    assert_eq!(shop.record(&paid).status, Status::Released);
}

#[test]
fn pages_meet_without_a_gap_and_an_export_sees_every_payment_once() {
    let home = Home::with(generous());
    let shop = home.open_for(&["a"]);
    let mut made: Vec<_> = (0..23).map(|n| shop.paid("a", &format!("k{n}"), "1000")).collect();
    made.reverse();
    let activity = whole(&shop);
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = activity.find(&utc(), &Find { limit: 5, cursor, ..Find::default() }).unwrap();
        seen.extend(page.lines.into_iter().map(|line| line.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, made);
    let mut exported = Vec::new();
    let count = activity
        .each(&utc(), &Find::default(), |record| {
            exported.push(record.id);
            Ok(())
        })
        .unwrap()
        .unwrap();
    assert_eq!((count, exported), (23, made));
}

#[test]
fn every_filter_finds_what_it_says_and_the_search_finds_beginnings_of_words() {
    let home = Home::with(generous());
    let shop = home.open_for(&["a", "b"]);
    let first = home.clock.wall();
    shop.paid("a", "cheap", "1000");
    home.clock.advance_ms(86_400_000);
    let second = home.clock.wall();
    shop.paid("b", "dear", "90000");
    let activity = whole(&shop);
    let find = Find::default;
    for (what, find, lines) in [
        ("agent", Find { agent: Some("a".into()), ..find() }, 1),
        ("no such agent", Find { agent: Some("c".into()), ..find() }, 0),
        ("payee", Find { payee: Some("https://api.example".into()), ..find() }, 2),
        ("rail", Find { rail: Some("x402".into()), ..find() }, 2),
        ("other rail", Find { rail: Some("mpp".into()), ..find() }, 0),
        ("min", Find { min: Some(Micro(90_000)), ..find() }, 1),
        ("max", Find { max: Some(Micro(1_000)), ..find() }, 1),
        ("between", Find { min: Some(Micro(1_001)), max: Some(Micro(89_999)), ..find() }, 0),
        ("since", Find { since: Some(second), ..find() }, 1),
        ("until", Find { until: Some(second), ..find() }, 1),
        ("until the first", Find { until: Some(first), ..find() }, 0),
        ("after all", Find { since: Some(Millis(second.0 + 1_000_000)), ..find() }, 0),
        ("play money", Find { test: true, ..find() }, 0),
        ("host", Find { text: "api.exam".into(), ..find() }, 2),
        ("path", Find { text: "THING".into(), ..find() }, 2),
        ("account", Find { text: "0x2222".into(), ..find() }, 2),
        ("both words", Find { text: "thin api".into(), ..find() }, 2),
        ("text and agent", Find { text: "api".into(), agent: Some("a".into()), ..find() }, 1),
        ("middle of a word", Find { text: "xample".into(), ..find() }, 0),
    ] {
        assert_eq!(count(&activity, find), lines, "{what}");
    }
}

#[test]
fn a_search_is_words_and_never_a_query() {
    let home = Home::with(generous());
    let shop = home.open_for(&["a"]);
    shop.paid("a", "one", "1000");
    let activity = whole(&shop);
    let long = "a".repeat(100_000);
    for text in [
        "\"",
        "'",
        "*",
        "(",
        ")",
        "-",
        "^",
        "NEAR(a b)",
        "a NOT b",
        "text : a",
        "{text}",
        "\" OR \"a",
        "'; DROP TABLE line; --",
        "\0",
        "\u{202e}evil",
        "\u{200b}",
        "ａｐｉ",
        "🦀",
        "%",
        "_",
        "\\",
        &long,
    ] {
        let found = activity.find(&utc(), &Find { text: text.into(), limit: 10, ..Find::default() });
        assert!(found.is_ok(), "{text:?}: {found:?}");
        let agent = Find { agent: Some(text.into()), limit: 10, ..Find::default() };
        assert_eq!(activity.find(&utc(), &agent).unwrap().lines.len(), 0);
    }
    assert_eq!(count(&activity, Find::default()), 1);
}

#[test]
fn a_read_model_that_is_lost_damaged_or_of_another_ledger_is_made_anew() {
    let home = Home::with(generous());
    let shop = home.open_for(&["a"]);
    (0..5).for_each(|n| drop(shop.paid("a", &format!("k{n}"), "1000")));
    let before = all(&whole(&shop), Find::default());
    let file = home.path().join("view.sqlite");
    let other = Home::with(generous());
    let elsewhere = other.open_for(&["z"]);
    (0..9).for_each(|n| drop(elsewhere.paid("z", &format!("k{n}"), "1000")));
    drop(whole(&elsewhere));
    for harm in ["gone", "garbage", "foreign", "older"] {
        for end in ["-wal", "-shm"] {
            std::fs::remove_file(home.path().join(format!("view.sqlite{end}"))).ok();
        }
        match harm {
            "gone" => std::fs::remove_file(&file).unwrap(),
            "garbage" => {
                std::fs::write(&file, b"not a database at all, and long enough to be read as one".repeat(100)).unwrap()
            }
            "foreign" => drop(std::fs::copy(other.path().join("view.sqlite"), &file).unwrap()),
            _ => rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 0).unwrap(),
        }
        let activity = whole(&shop);
        assert_eq!(all(&activity, Find::default()), before, "{harm}");
        assert_eq!(sums(&activity, &utc(), By::Agent).all.count, 5, "{harm}");
    }
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn days_are_those_of_the_zone_and_another_zone_counts_anew() {
    let home = Home::with(generous());
    let shop = home.open_for(&["a"]);
    // Half past eleven in the evening, UTC.
    let late = Millis(home.clock.wall().0.div_euclid(86_400_000) * 86_400_000 + 84_600_000);
    home.clock.advance_ms(late.0 - home.clock.wall().0);
    shop.paid("a", "one", "1000");
    let activity = whole(&shop);
    let day = |calendar: &Calendar| {
        activity.catch_up(calendar, LONG).unwrap();
        sums(&activity, calendar, By::Agent).days.keys().next().copied().unwrap()
    };
    let (utc, shanghai) = (utc(), Calendar::of("Asia/Shanghai"));
    assert_eq!(day(&shanghai), day(&utc).plus(1));
}

#[test]
fn reading_on_stops_when_its_time_is_over_and_says_how_much_is_left() {
    let home = Home::with(generous());
    let shop = home.open_for(&["a"]);
    (0..10).for_each(|n| drop(shop.paid("a", &format!("k{n}"), "1000")));
    wait(shop.vault.flush());
    let activity = shop.vault.activity(word);
    let left = activity.catch_up(&utc(), Duration::ZERO).unwrap();
    assert!(left >= 10, "{left}");
    assert_eq!(count(&activity, Find::default()), 0);
    assert_eq!(activity.catch_up(&utc(), LONG).unwrap(), 0);
    assert_eq!(count(&activity, Find::default()), 10);
}
