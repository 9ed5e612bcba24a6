//! An agent and the program it is first seen in; and a token that takes another's place.

use countersign_core::{
    behind::Behind,
    payment::{AgentName, Program},
    policy::Policy,
};
use countersign_vault::{Admitted, SetBy, Vault, Waiting};

use crate::support::{Home, POLICY, Shop, policy, wait, yes};

const NODE: &str = "/usr/bin/node";

fn program(path: &str) -> Option<Program> {
    Some(Program { path: path.to_owned(), parent: Some("/usr/bin/bash".to_owned()), process: None })
}

fn admit(shop: &Shop, key: &str, path: Option<&str>) -> Admitted {
    let mut purchase = shop.purchase("a", key, "10000");
    purchase.caller.program = path.and_then(program);
    wait(shop.vault.admit(purchase)).unwrap()
}

fn asked(admitted: Admitted) -> Waiting {
    match admitted {
        Admitted::Waiting(waiting) => *waiting,
        other => panic!("expected a question, got {other:?}"),
    }
}

fn bind(vault: &Vault, path: &str) {
    wait(vault.bind_agent(&"a".parse().unwrap(), path)).unwrap();
}

fn bound(vault: &Vault) -> Option<String> {
    wait(vault.list_agents()).unwrap()[0].program.clone()
}

/// Pays by itself only what a verified program asks for.
fn wants_a_program() -> Policy {
    policy(&POLICY.replace("when = { exposure = { le", "when = { agent_verified = true, exposure = { le"))
}

#[test]
fn an_agent_is_bound_to_the_program_it_is_first_seen_in_and_another_one_asks() {
    let home = Home::with(wants_a_program());
    let shop = home.open_for(&["a"]);
    assert_eq!(asked(admit(&shop, "early", Some(NODE))).record.decision.rule, "default", "it is bound to nothing yet");
    bind(&shop.vault, NODE);
    bind(&shop.vault, "/tmp/late");
    assert_eq!(bound(&shop.vault).as_deref(), Some(NODE), "the first one stays");
    assert!(matches!(admit(&shop, "same", Some(NODE)), Admitted::Reserved(_)));
    let unseen = asked(admit(&shop, "tcp", None));
    assert_eq!((unseen.record.decision.rule.as_str(), &unseen.behind), ("default", &Behind::Unseen));

    let other = asked(admit(&shop, "other", Some("/tmp/thief")));
    assert_eq!(other.record.decision.rule, "builtin:caller-changed");
    assert_eq!(other.behind, Behind::Changed(program("/tmp/thief").unwrap(), NODE.to_owned()));
    let why = wait(shop.vault.explain(&other.record.id)).unwrap().unwrap();
    let facts = serde_json::to_value(&why).unwrap()["facts"].clone();
    assert_eq!((&facts["bound"], &facts["program"]["path"]), (&NODE.into(), &"/tmp/thief".into()), "{facts}");
    // A yes is about this payment: the agent stays bound to what it was.
    let purchase = shop.purchase("a", "other", "10000");
    wait(shop.vault.reserve(yes(other), purchase.signables)).unwrap();
    assert_eq!(bound(&shop.vault).as_deref(), Some(NODE));
    drop(shop);
    assert_eq!(bound(&home.open()).as_deref(), Some(NODE), "it outlives the process");
}

#[test]
fn a_different_program_asks_even_where_every_rule_allows_and_nothing_it_does_binds_it() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    bind(&shop.vault, NODE);
    assert!(
        matches!(admit(&shop, "tcp", None), Admitted::Reserved(_)),
        "over TCP nothing is known and nothing changed"
    );
    for key in ["one", "two"] {
        assert_eq!(asked(admit(&shop, key, Some("/tmp/thief"))).record.decision.rule, "builtin:caller-changed");
        bind(&shop.vault, "/tmp/thief");
    }
    wait(shop.vault.rebind_agent(&shop.name("a"), SetBy::Person)).unwrap();
    assert_eq!(bound(&shop.vault), None);
    bind(&shop.vault, "/opt/other");
    assert!(matches!(admit(&shop, "three", Some("/opt/other")), Admitted::Reserved(_)));
    wait(shop.vault.revoke_agent(&shop.name("a"))).unwrap();
    wait(shop.vault.add_agent(&shop.name("a"), false, SetBy::Person)).unwrap();
    assert_eq!(bound(&shop.vault), None, "a new life is bound to nothing");
}

#[test]
fn a_binding_changed_from_outside_makes_everything_ask() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    bind(&shop.vault, NODE);
    wait(shop.vault.shutdown());
    home.sql().execute("UPDATE binding SET program = '/tmp/thief'", []).unwrap();
    let shop = home.open_for(&[]);
    assert!(shop.vault.doubts().policy.is_some());
    assert!(
        asked(admit(&shop, "k", Some("/tmp/thief")))
            .record
            .decision
            .reasons()
            .any(|r| r == "builtin:policy-unconfirmed")
    );
}

#[test]
fn a_replaced_token_works_for_ten_minutes_and_an_agent_is_told_of_a_week_before_its_last_one_dies() {
    const MINUTE: i64 = 60_000;
    const DAY: i64 = 24 * 60 * MINUTE;
    let home = Home::new();
    let vault = home.open();
    let name: AgentName = "a".parse().unwrap();
    let text = |token: countersign_vault::keys::Secret| String::from_utf8(token.expose().to_vec()).unwrap();
    let first = text(wait(vault.add_agent(&name, false, SetBy::Person)).unwrap());
    bind(&vault, NODE);
    let soon = |vault: &Vault| wait(vault.list_agents()).unwrap()[0].expires_soon;
    home.clock.advance_ms(22 * DAY);
    assert!(!soon(&vault));
    home.clock.advance_ms(DAY);
    assert!(soon(&vault), "idle for 23 days");

    let second = text(wait(vault.rotate_agent(&name, SetBy::Person)).unwrap());
    assert!(!soon(&vault));
    assert_eq!(bound(&vault).as_deref(), Some(NODE), "the new token is for the same program");
    home.clock.advance_ms(9 * MINUTE);
    let third = text(wait(vault.rotate_agent(&name, SetBy::Person)).unwrap());
    let whose = |vault: &Vault| [&first, &second, &third].map(|token| vault.authenticate(token).is_some());
    assert_eq!(whose(&vault), [true, true, true]);
    home.clock.advance_ms(MINUTE);
    assert_eq!(whose(&vault), [false, true, true], "its ten minutes are over, and nobody made them longer");
    drop(vault);
    let vault = home.open();
    home.clock.advance_ms(9 * MINUTE);
    assert_eq!(whose(&vault), [false, false, true]);
    wait(vault.revoke_agent(&name)).unwrap();
    assert_eq!(whose(&vault), [false, false, false]);
    assert!(
        wait(vault.rotate_agent(&name, SetBy::Person)).is_err()
            && wait(vault.rebind_agent(&name, SetBy::Person)).is_err()
    );

    wait(vault.add_agent(&name, false, SetBy::Person)).unwrap();
    assert_eq!(whose(&vault), [false, false, false], "a new life revives no token");
    wait(vault.rotate_agent(&name, SetBy::Command)).unwrap();
    assert!(!wait(vault.list_agents()).unwrap()[0].confirmed, "what a command handed out while nobody could be asked");
}

#[test]
fn a_token_near_the_end_of_its_age_is_renewed_while_it_lives_and_lives_on_to_that_end() {
    const DAY: i64 = 86_400_000;
    let home = Home::new();
    let vault = home.open();
    let name: AgentName = "a".parse().unwrap();
    let text = |token: countersign_vault::keys::Secret| String::from_utf8(token.expose().to_vec()).unwrap();
    let first = text(wait(vault.add_agent(&name, false, SetBy::Person)).unwrap());
    let renewed = |token: &str| wait(vault.renew_token(token)).unwrap().map(text);
    for _ in 0..7 {
        assert_eq!(renewed(&first), None, "it is young");
        home.clock.advance_ms(20 * DAY);
        assert!(vault.authenticate(&first).is_some());
    }
    home.clock.advance_ms(11 * DAY);
    assert_eq!(renewed(&first[..first.len() - 1]), None, "no token of ours");
    let second = renewed(&first).expect("a month is left");
    assert_eq!(renewed(&second), None);
    home.clock.advance_ms(18 * DAY);
    assert!([&first, &second].iter().all(|token| vault.authenticate(token).is_some()));
    home.clock.advance_ms(12 * DAY);
    assert_eq!([&first, &second].map(|token| vault.authenticate(token).is_some()), [false, true]);
    assert_eq!(renewed(&first), None, "a dead one gives no life");
    wait(vault.revoke_agent(&name)).unwrap();
    assert_eq!((renewed(&second), vault.authenticate(&second)), (None, None));
}
