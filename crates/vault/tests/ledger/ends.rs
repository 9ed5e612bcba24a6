//! Questions that end without an answer, texts that are forgotten, oddities that are found, and what a yes to a change covers.

use countersign_core::{
    Millis,
    approval::Said,
    asset::{AssetId, Network},
    policy::Risk,
    status::Status,
};
use countersign_vault::{Admitted, Clock as _, Note, Open, RefusedAs, Rejudged, Scope, SetBy, Vault};
use std::collections::BTreeSet;

use crate::support::{Home, NOON, POLICY, Shop, policy, wait, yes};

fn rejudged(shop: &Shop, waiting: &countersign_vault::Waiting) -> Rejudged {
    let forms = shop.forms(&waiting.record.quote);
    wait(shop.vault.rejudge_waiting(&waiting.record.id, forms)).unwrap()
}

#[test]
fn a_pause_or_a_revoked_agent_ends_its_questions_and_a_yes_after_it_pays_nothing() {
    let home = Home::new();
    let shop = home.open_for(&["a", "b", "c"]);
    let paused = shop.waiting("a", "k1", "200000", "/1");
    let revoked = shop.waiting("b", "k1", "200000", "/2");
    let other = shop.waiting("c", "k1", "200000", "/3");
    wait(shop.vault.pause(Scope::Agent(shop.name("a")), None)).unwrap();
    wait(shop.vault.revoke_agent(&shop.name("b"))).unwrap();
    for (waiting, rule) in [(&paused, "builtin:agent-paused"), (&revoked, "builtin:agent-revoked")] {
        let Rejudged::Refused(record) = rejudged(&shop, waiting) else { panic!("{rule}") };
        assert_eq!((record.status, record.decision.rule.as_str()), (Status::Refused, rule));
        assert_eq!(record.refused_as, Some(RefusedAs::DeniedByRule), "nobody's judgement of the payee");
    }
    assert!(matches!(rejudged(&shop, &other), Rejudged::Still));
    wait(shop.vault.pause(Scope::All, None)).unwrap();
    let forms = shop.forms(&other.record.quote);
    let answered = wait(shop.vault.reserve(yes(other), forms)).unwrap();
    let countersign_vault::Reserved::Refused(record) = answered else { panic!("{answered:?}") };
    assert_eq!(record.decision.rule, "builtin:paused");
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_question_nobody_tells_any_more_is_over_in_time_and_takes_nobodys_place() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let cut_off: Vec<_> = (0..3).map(|n| shop.waiting("a", &format!("k{n}"), "200000", &format!("/{n}"))).collect();
    assert!(matches!(
        wait(shop.vault.admit(shop.request_for("a", "k4", shop.quote("200000", "/4")))).unwrap(),
        Admitted::TooMany { .. }
    ));
    home.clock.advance_ms(121_000);
    drop(shop.waiting("a", "k4", "200000", "/4"));
    for waiting in cut_off {
        assert_eq!(shop.record(&waiting.record.id).refused_as, Some(RefusedAs::ApprovalExpired));
    }
}

#[test]
fn a_kept_body_is_forgotten_in_time_while_the_service_runs() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let id = shop.paid("a", "k1", "10000");
    let note = Note {
        detail: vec![("body".into(), b"bought".to_vec())],
        detail_until: Some(Millis(NOON.0 + 24 * 3_600_000)),
        ..Note::default()
    };
    wait(shop.vault.note(&id, note)).unwrap();
    home.clock.advance_ms(23 * 3_600_000);
    shop.paid("a", "k2", "10000");
    assert_eq!(wait(shop.vault.detail(&id, "body")).unwrap().as_deref(), Some(&b"bought"[..]));
    home.clock.advance_ms(3_600_000);
    shop.paid("a", "k3", "10000");
    assert_eq!(wait(shop.vault.detail(&id, "body")).unwrap(), None);
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn what_is_kept_shorter_is_forgotten_as_if_it_had_been_kept_so_from_the_start() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let hours = |n: i64| n * 3_600_000;
    let kept = |key: &str, for_hours: i64| {
        let id = shop.paid("a", key, "10000");
        let until = Millis(home.clock.wall().0 + hours(for_hours));
        let note =
            Note { detail: vec![("body".into(), b"bought".to_vec())], detail_until: Some(until), ..Note::default() };
        wait(shop.vault.note(&id, note)).unwrap();
        id
    };
    let (old, for_ever) = (kept("k1", 24), kept("k2", 1_000_000));
    home.clock.advance_ms(hours(2));
    let fresh = kept("k3", 24);
    let there = |id| wait(shop.vault.detail(id, "body")).unwrap().is_some();
    // From 24 hours to 1.
    wait(shop.vault.keep_shorter(hours(23), Millis(home.clock.wall().0 + hours(1)))).unwrap();
    assert_eq!((there(&old), there(&fresh), there(&for_ever)), (false, true, true));
    home.clock.advance_ms(hours(1));
    shop.paid("a", "k4", "10000");
    assert_eq!((there(&fresh), there(&for_ever)), (false, false));
    assert!(wait(shop.vault.detail(&old, "url")).unwrap().is_some(), "what has no end stays");
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn look_alikes_dearer_prices_and_other_networks_are_found_before_a_person_is_asked() {
    let home = Home::with(policy(&POLICY.replace(
        "rule = [",
        "rule = [\n { id = \"first-payee\", effect = \"ask\", when = { payee_known = false } },",
    )));
    let shop = home.open_for(&["a"]);
    let first = shop.waiting("a", "k1", "30000", "/thing");
    assert_eq!(first.history.odd, BTreeSet::new());
    let forms = shop.forms(&first.record.quote);
    let countersign_vault::Reserved::Reservation(r) = wait(shop.vault.reserve(yes(first), forms)).unwrap() else {
        panic!()
    };
    drop(shop.vault.sign(*r).unwrap());

    let odd = |key: &str, change: &dyn Fn(&mut countersign_core::payment::Quote)| {
        let mut quote = shop.quote("200000", "/thing");
        change(&mut quote);
        let Admitted::Waiting(w) = wait(shop.vault.admit(shop.request_for("a", key, quote))).unwrap() else { panic!() };
        wait(shop.vault.end_waiting(&w.record.id, countersign_core::status::Event::Cancelled, "agent")).unwrap();
        let mut facts = None;
        if let Some(explained) = wait(shop.vault.explain(&w.record.id)).unwrap() {
            facts = Some(serde_json::to_value(explained).unwrap());
        }
        assert!(
            w.history.odd.iter().all(|risk| facts.as_ref().is_some_and(|f| f.to_string().contains(risk.as_str()))),
            "a rule can ask about what the person is warned of"
        );
        w.history.odd
    };
    assert_eq!(odd("up", &|_| {}), BTreeSet::from([Risk::PriceUp]));
    assert_eq!(odd("same-price-elsewhere", &|q| q.resource.path = "https://api.example/other".into()), BTreeSet::new());
    let elsewhere = odd("host", &|q| q.payee.origin = "https://api.exarnple".parse().unwrap());
    assert_eq!(elsewhere, BTreeSet::from([Risk::LookalikeHost]));
    let account = "0x2222aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2222";
    assert_eq!(odd("account", &|q| q.payee.account = account.into()), BTreeSet::from([Risk::LookalikeAddress]));
    let celo = Network::eip155(42220);
    let token = AssetId::erc20(&celo, "0xcebA9300f2b948710d2653dD7B07f33A8B32118C".parse().unwrap());
    let network = odd("network", &|q| {
        q.network = Some(celo.clone());
        q.money.asset = token.clone();
        q.exposure.asset = token.clone();
    });
    assert_eq!(network, BTreeSet::from([Risk::NetworkChanged]));
}

#[test]
fn everything_nobody_confirmed_is_listed_before_a_yes_covers_it() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    assert_eq!(wait(shop.vault.to_confirm(None)).unwrap(), []);
    let looser = policy(&POLICY.replace("1.00", "9.00"));
    assert!(matches!(
        wait(shop.vault.set_policy(looser, SetBy::Command)).unwrap(),
        countersign_vault::Set::Unconfirmed(_)
    ));
    let listed = wait(shop.vault.to_confirm(None)).unwrap();
    assert!(
        listed.iter().map(ToString::to_string).any(|line| line.contains("day") && line.contains("9")),
        "{listed:?}"
    );
    // A trifle more: the yes to it would cover the rest as well.
    let trifle = policy(&POLICY.replace("1.00", "9.00").replace("0.50", "0.51"));
    let both = wait(shop.vault.to_confirm(Some(&trifle))).unwrap();
    assert!(both.len() > listed.len() && listed.iter().all(|line| both.contains(line)), "{both:?}");
    drop(shop);
    let changed = Open { config_text: "{\"allow_private_hosts\":[\"10.0.0.1\"]}".into(), ..home.settings() };
    let listed = wait(Vault::open(changed).unwrap().to_confirm(None)).unwrap();
    let (key, now) = ("allow_private_hosts".to_owned(), r#"["10.0.0.1"]"#.to_owned());
    assert!(listed.contains(&Said::ConfigNew { key, now }), "{listed:?}");
}

#[test]
fn holds_removed_behind_our_back_let_nothing_through_even_before_the_whole_chain_is_checked() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    for n in 0..4 {
        drop(shop.vault.sign(shop.reserved("a", &format!("k{n}"), "100000")).unwrap());
    }
    drop(shop);
    let conn = home.sql();
    conn.execute_batch("DROP TRIGGER hold_delete; DELETE FROM hold WHERE payment = 2;").unwrap();
    drop(conn);
    let shop = home.open_for(&[]);
    assert!(wait(shop.vault.admit(shop.request("a", "fresh", "10000"))).is_err());
    assert!(matches!(shop.vault.health(), countersign_vault::Health::ViewOnly(_)), "{:?}", shop.vault.health());
}

#[test]
fn a_doubt_that_comes_between_the_hold_and_the_signature_stops_what_no_person_said_yes_to() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let silent = shop.reserved("a", "k1", "30000");
    let (id, waiting) = (silent.record().id.clone(), shop.waiting("a", "k2", "200000", "/2"));
    let forms = shop.forms(&waiting.record.quote);
    let countersign_vault::Reserved::Reservation(approved) = wait(shop.vault.reserve(yes(waiting), forms)).unwrap()
    else {
        panic!()
    };
    wait(shop.vault.doubt_clock(Said::DoubtServersBehind { seconds: "600".to_owned() })).unwrap();
    assert!(shop.vault.sign(silent).is_err());
    wait(shop.vault.flush());
    assert_eq!(shop.record(&id).status, Status::Released, "nothing was signed, so the hold is back");
    drop(shop.vault.sign(*approved).unwrap());
    assert_eq!(shop.faults(), Vec::<String>::new());
}
