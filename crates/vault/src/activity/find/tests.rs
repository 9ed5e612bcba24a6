//! Whatever drives a query, it finds what a look at every line finds.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]

use super::*;
use proptest::{prelude::*, sample::select};

const LINES: i64 = 12_000;
const DAY_MS: i64 = 86_400_000;

/// One line as the filling tells it. A few agents share most lines, and one of them has only three.
fn line(n: i64) -> [String; 5] {
    let agent = match n {
        7 | 700 | 11_000 => "rare".to_owned(),
        _ => format!("agent-{}", n % 2),
    };
    // Failed ones are old and of one agent only.
    let state = if n < 6_200 && n % 2 == 1 { "failed" } else { "settled" };
    let payee = format!("https://shop{}.example", n % 3);
    [agent, payee, if n % 50 == 0 { "mpp" } else { "x402" }.to_owned(), state.to_owned(), format!("/item/{n:05}")]
}

fn value(n: i64) -> i64 {
    n % 1_000
}

fn view() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(include_str!("../schema.sql")).unwrap();
    let mut words: Vec<String> = Vec::new();
    let tx = conn.unchecked_transaction().unwrap();
    for n in 1..=LINES {
        let parts = line(n);
        let mut id = |text: &str| {
            let at = words.iter().position(|word| word == text).unwrap_or_else(|| {
                words.push(text.to_owned());
                tx.execute("INSERT INTO word (text) VALUES (?1)", [text]).unwrap();
                words.len() - 1
            });
            i64::try_from(at).unwrap() + 1
        };
        let [agent, payee, rail, state] = [0, 1, 2, 3].map(|i: usize| id(&parts[i]));
        let name = PaymentId::from_random(u128::try_from(n).unwrap().to_be_bytes());
        tx.prepare_cached("INSERT INTO line VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, ?6, ?7, ?7, 1, ?8, '1 USDC')")
            .unwrap()
            .execute((n, name.as_str(), n * DAY_MS, agent, payee, rail, state, value(n)))
            .unwrap();
        let text = search::text(
            &[&parts[0], &parts[1], &parts[4]],
            &[("test", 0), ("agent", agent), ("payee", payee), ("rail", rail), ("state", state)],
        );
        tx.prepare_cached("INSERT INTO found (rowid, text) VALUES (?1, ?2)").unwrap().execute((n, text)).unwrap();
    }
    tx.commit().unwrap();
    conn
}

/// The numbers of the first page, by looking at every line.
fn looked_at(find: &Find) -> Vec<i64> {
    let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
    let fits = |n: &i64| {
        let [agent, payee, rail, state, path] = line(*n);
        let texts = format!("{agent} {payee} {path}");
        let begins = |word: &str| {
            texts.split(|c: char| !c.is_alphanumeric()).any(|known| known.starts_with(&word.to_ascii_lowercase()))
        };
        let value = Micro(u128::try_from(value(*n)).unwrap());
        !find.test
            && is(&find.agent, &agent)
            && is(&find.payee, &payee)
            && is(&find.rail, &rail)
            && is(&find.state, &state)
            && find.min.is_none_or(|min| value >= min)
            && find.max.is_none_or(|max| value <= max)
            && find.since.is_none_or(|since| n * DAY_MS >= since.0)
            && find.until.is_none_or(|until| n * DAY_MS < until.0)
            && find.cursor.is_none_or(|cursor| *n < cursor)
            && find.text.split(' ').filter(|word| !word.is_empty()).all(begins)
    };
    (1..=LINES).rev().filter(fits).take(usize::try_from(find.limit).unwrap()).collect()
}

fn finds() -> impl Strategy<Value = Find> {
    let some = |words: Vec<&'static str>| prop::option::weighted(0.3, select(words).prop_map(str::to_owned));
    let moment = || prop::option::weighted(0.2, (0..LINES + 100).prop_map(|n| Millis(n * DAY_MS)));
    let words =
        vec!["", "agent", "rare", "shop1", "SHOP", "exam", "example agent", "https item", "0", "0700", "00700", "none"];
    (
        some(vec!["agent-0", "agent-1", "rare", "nobody"]),
        some(vec!["https://shop0.example", "https://shop2.example"]),
        some(vec!["settled", "failed"]),
        some(vec!["x402", "mpp"]),
        prop::option::weighted(0.2, 0u128..1_000),
        prop::option::weighted(0.2, 0u128..1_000),
        (moment(), moment(), prop::option::weighted(0.3, 1..LINES)),
        select(words),
    )
        .prop_map(|(agent, payee, state, rail, min, max, (since, until, cursor), text)| Find {
            test: false,
            agent,
            payee,
            state,
            rail,
            min: min.map(Micro),
            max: max.map(Micro),
            since,
            until,
            text: text.to_owned(),
            cursor,
            limit: 20,
        })
}

#[test]
fn whatever_drives_a_query_it_finds_what_a_look_at_every_line_finds() {
    let conn = view();
    let name = |n: i64| PaymentId::from_random(u128::try_from(n).unwrap().to_be_bytes());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(150));
    runner
        .run(&finds(), |find| {
            let found: Vec<_> = page(&conn, &find).unwrap().lines.into_iter().map(|line| line.id).collect();
            let looked: Vec<_> = looked_at(&find).into_iter().map(name).collect();
            prop_assert_eq!(found, looked);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_beginning_that_few_words_have_is_asked_for_as_those_words() {
    let conn = view();
    let asked = |text: &str| search::words(&conn, text).unwrap();
    assert_eq!(asked("Exampl").as_deref(), Some("(\"example\")"));
    assert_eq!(asked("agen").as_deref(), Some("\"agen\"*"), "a short one has a list of its own");
    assert_eq!(asked("shop").as_deref(), Some("\"shop\"*"));
    assert_eq!(asked("0123 00123").as_deref(), Some("\"0123\"* AND (\"00123\")"));
    assert_eq!(asked("nobody").as_deref(), Some("\"nobody\"*"));
    assert_eq!(asked(" -*- "), None);
}
