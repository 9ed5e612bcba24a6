//! Questions: one at a time per purchase, few per agent, over in time, judged again after the answer.

use countersign_core::{
    policy::Condition,
    status::{Event, Status},
};
use countersign_vault::{Admitted, Note, Outcome, RefusedAs, Rejudged, Reserved, VaultError};

use crate::support::{Home, POLICY, Shop, policy, wait, yes};

fn rule_of(a: Admitted) -> (String, String) {
    match a {
        Admitted::Waiting(w) => ("ask".into(), w.record.decision.rule.clone()),
        Admitted::Refused(r) => ("deny".into(), r.decision.rule.clone()),
        Admitted::Reserved(r) => ("allow".into(), r.record().decision.rule.clone()),
        other => (format!("{other:?}"), String::new()),
    }
}

fn approve(shop: &Shop, waiting: countersign_vault::Waiting) -> Reserved {
    let forms = shop.forms(&waiting.record.quote);
    wait(shop.vault.reserve(yes(waiting), forms)).unwrap()
}

#[test]
fn a_yes_reserves_and_makes_the_payee_known() {
    let home = Home::with(policy(&POLICY.replace(
        "rule = [",
        "rule = [\n { id = \"first-payee\", effect = \"ask\", when = { payee_known = false } },",
    )));
    let shop = home.open_for(&["a", "b"]);
    let waiting = shop.waiting("a", "k1", "30000", "/one");
    assert_eq!(
        (waiting.record.decision.rule.as_str(), waiting.reason.as_deref(), waiting.seller.as_deref()),
        ("first-payee", Some("I need it"), Some("buy this"))
    );
    assert_eq!(waiting.history.payments, 0);
    let Reserved::Reservation(r) = approve(&shop, waiting) else { panic!() };
    drop(shop.vault.sign(*r).unwrap());
    assert_eq!(rule_of(shop.admit("b", "k1", "30000")), ("allow".into(), "micro".into()), "known to everybody");
    let mut other = shop.quote("30000", "/thing");
    other.payee.account = "0x4444444444444444444444444444444444444444".into();
    let changed = wait(shop.vault.admit(shop.request_for("a", "k3", other))).unwrap();
    assert_eq!(rule_of(changed), ("ask".into(), Condition::PayeeChanged.rule().into()));
    let mut claimed = shop.quote("30000", "/claimed");
    claimed.payee.claimed = true;
    let claimed = wait(shop.vault.admit(shop.request_for("a", "k4", claimed))).unwrap();
    assert_eq!(rule_of(claimed), ("ask".into(), "first-payee".into()), "a claim is not what we reached ourselves");
}

#[test]
fn identical_waiting_requests_are_one_payment_under_many_keys() {
    let home = Home::new();
    let shop = home.open_for(&["a", "b"]);
    let waiting = shop.waiting("a", "k1", "200000", "/big");
    let id = waiting.record.id.clone();
    for n in 2..5 {
        let joined =
            wait(shop.vault.admit(shop.request_for("a", &format!("k{n}"), shop.quote("200000", "/big")))).unwrap();
        let Admitted::Joined(record) = joined else { panic!() };
        assert_eq!(record.id, id);
    }
    let other = shop.waiting("b", "k1", "200000", "/big");
    assert_ne!(other.record.id, id, "another agent's purchase is its own");
    let Reserved::Reservation(r) = approve(&shop, waiting) else { panic!() };
    drop(shop.vault.sign(*r).unwrap());
    let again = wait(shop.vault.admit(shop.request_for("a", "k3", shop.quote("200000", "/big")))).unwrap();
    let Admitted::Same(record) = again else { panic!() };
    assert_eq!(record.id, id, "for ever");
    let changed = wait(shop.vault.admit(shop.request_for("a", "k3", shop.quote("200001", "/big")))).unwrap();
    assert!(matches!(changed, Admitted::Conflict));
    let next = wait(shop.vault.admit(shop.request_for("a", "k9", shop.quote("200000", "/big")))).unwrap();
    assert!(matches!(next, Admitted::Waiting(_)), "after the first has ended it is a new purchase");
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn a_question_ends_once_and_in_time() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let one = shop.waiting("a", "k1", "200000", "/1");
    let two = shop.waiting("a", "k2", "200000", "/2");
    let three = shop.waiting("a", "k3", "200000", "/3");
    let declined = wait(shop.vault.end_waiting(&one.record.id, Event::Declined, "window")).unwrap();
    assert_eq!((declined.status, declined.refused_as), (Status::Refused, Some(RefusedAs::DeniedByHuman)));
    let again = wait(shop.vault.end_waiting(&one.record.id, Event::Cancelled, "agent")).unwrap();
    assert_eq!(again.refused_as, Some(RefusedAs::DeniedByHuman), "as it stands");
    let Reserved::Moved(record) = approve(&shop, one) else { panic!() };
    assert_eq!(record.status, Status::Refused, "a yes after the no counts for nothing");
    let cancelled = wait(shop.vault.end_waiting(&two.record.id, Event::Cancelled, "agent")).unwrap();
    assert_eq!(cancelled.refused_as, Some(RefusedAs::Cancelled));
    home.clock.advance_ms(120_000);
    let Reserved::Refused(record) = approve(&shop, three) else { panic!() };
    assert_eq!(record.refused_as, Some(RefusedAs::ApprovalExpired), "approved at t+120 s");
    let none = shop.waiting("a", "k4", "200000", "/4");
    let record = wait(shop.vault.end_waiting(&none.record.id, Event::Denied, "no_approver")).unwrap();
    assert_eq!(record.refused_as, Some(RefusedAs::NoApprover));
}

#[test]
fn questions_are_capped_per_agent_in_all_and_per_minute() {
    let home = Home::new();
    let names: Vec<String> = (0..5).map(|n| format!("agent-{n}")).collect();
    let shop = home.open_for(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let ask = |agent: &str, key: &str| {
        wait(shop.vault.admit(shop.request_for(agent, key, shop.quote("200000", &format!("/{agent}/{key}"))))).unwrap()
    };
    let mut asked = Vec::new();
    for agent in &names {
        for n in 0..4 {
            match ask(agent, &format!("k{n}")) {
                Admitted::Waiting(w) => asked.push(w.record.id.clone()),
                Admitted::TooMany { retry_after_seconds } => assert!((1..=120).contains(&retry_after_seconds)),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(asked.len(), 10);
    assert_eq!(wait(shop.vault.verify()).unwrap().payments, 10, "above the caps there is no row");
    for id in &asked {
        wait(shop.vault.end_waiting(id, Event::Cancelled, "agent")).unwrap();
    }
    let mut more = 0;
    for n in 10..20 {
        if let Admitted::Waiting(w) = ask("agent-0", &format!("k{n}")) {
            more += 1;
            wait(shop.vault.end_waiting(&w.record.id, Event::Cancelled, "agent")).unwrap();
        }
    }
    assert_eq!(more, 3, "six in a minute, three before");
    home.clock.advance_ms(60_000);
    assert!(matches!(ask("agent-0", "k30"), Admitted::Waiting(_)));
    assert!(matches!(ask("agent-0", "k13"), Admitted::Waiting(_)), "the key stayed free");
}

#[test]
fn a_new_reason_is_shown_again_and_a_gone_reason_lets_the_others_through() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let above = shop.waiting("a", "k1", "110000", "/above");
    assert_eq!(above.record.decision.rule, "default");
    for n in 0..5 {
        drop(shop.vault.sign(shop.reserved("a", &format!("m{n}"), "100000")).unwrap());
    }
    let over = shop.waiting("a", "k2", "100000", "/over");
    assert_eq!(over.record.decision.rule, "budget:burst");
    let Reserved::Again(shown) = approve(&shop, above) else { panic!() };
    assert!(shown.needs.decision().because.contains(&"budget:burst".to_owned()), "{:?}", shown.needs.decision());
    assert_eq!(shop.record(&shown.record.id).status, Status::Waiting);
    let forms = shop.forms(&over.record.quote);
    assert!(matches!(wait(shop.vault.rejudge_waiting(&over.record.id, forms)).unwrap(), Rejudged::Still));
    home.clock.advance_ms(119_000);
    let forms = shop.forms(&over.record.quote);
    assert!(matches!(wait(shop.vault.rejudge_waiting(&over.record.id, forms)).unwrap(), Rejudged::Still));
}

#[test]
fn what_is_allowed_after_another_answer_goes_through_by_itself() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let mut held = Vec::new();
    for n in 0..5 {
        held.push(shop.reserved("a", &format!("m{n}"), "100000"));
    }
    let over = shop.waiting("a", "k2", "100000", "/over");
    drop(held);
    let none = wait(shop.vault.rejudge_waiting(&over.record.id, Vec::new())).unwrap();
    assert!(matches!(none, Rejudged::Still), "there is nothing to be signed: {none:?}");
    let forms = shop.forms(&over.record.quote);
    let Rejudged::Reserved(r) = wait(shop.vault.rejudge_waiting(&over.record.id, forms)).unwrap() else { panic!() };
    assert_eq!(r.record().decision.rule, "micro");
    drop(shop.vault.sign(*r).unwrap());
    assert_eq!(shop.faults(), Vec::<String>::new());
}

#[test]
fn three_denials_put_the_pair_off_for_an_hour() {
    let home = Home::new();
    let shop = home.open_for(&["a", "b"]);
    let deny = |key: &str, how, through| {
        let waiting = shop.waiting("a", key, "200000", &format!("/{key}"));
        wait(shop.vault.end_waiting(&waiting.record.id, how, through)).unwrap().refused_as
    };
    deny("k1", Event::Declined, "window");
    deny("k2", Event::Expired, "deadline");
    let nobody = deny("k3", Event::Declined, "lock");
    assert_eq!(nobody, Some(RefusedAs::ApprovalExpired), "the agent is not told that a person said no");
    deny("k4", Event::Declined, "window");
    assert_eq!(rule_of(shop.admit("a", "k5", "10000")).0, "allow", "expiry and lock never count");
    deny("k6", Event::Declined, "terminal");
    let Admitted::Refused(record) = shop.admit("a", "k7", "10000") else { panic!() };
    assert_eq!(
        (record.decision.rule.as_str(), record.refused_as),
        ("builtin:back-off", Some(RefusedAs::DeniedByHuman))
    );
    assert_eq!(rule_of(shop.admit("b", "k1", "10000")).0, "allow", "another agent");
    home.clock.advance_ms(3_600_000);
    assert_eq!(rule_of(shop.admit("a", "k8", "10000")).0, "allow");
}

#[test]
fn the_same_purchase_asks_while_an_earlier_one_is_in_doubt() {
    let home = Home::new();
    let shop = home.open_for(&["a", "b"]);
    let first = shop.vault.sign(shop.reserved("a", "k1", "30000")).unwrap().record().id.clone();
    assert_eq!(rule_of(shop.admit("a", "k2", "30000")).0, "allow", "ordinary use is no duplicate");
    let failed = Note { outcome: Some(Outcome::Failed), ..Note::default() };
    wait(shop.vault.note(&first, failed)).unwrap();
    assert_eq!(rule_of(shop.admit("b", "k1", "30000")).0, "allow", "another agent");
    let Admitted::Waiting(doubtful) = shop.admit("a", "k3", "30000") else { panic!() };
    assert_eq!(doubtful.record.decision.rule, "builtin:possible-duplicate");
    let refused = wait(shop.vault.end_waiting(&doubtful.record.id, Event::Declined, "window")).unwrap();
    assert_eq!(refused.refused_as, Some(RefusedAs::DuplicatePurchase));
    let Admitted::Waiting(again) = shop.admit("a", "k4", "30000") else { panic!() };
    let Reserved::Reservation(r) = approve(&shop, *again) else { panic!() };
    let later = shop.vault.sign(*r).unwrap().record().id.clone();
    let with_error = Note {
        settlement: Some(countersign_core::status::Settlement::Claimed),
        outcome: Some(Outcome::Unknown),
        ..Note::default()
    };
    wait(shop.vault.note(&later, with_error)).unwrap();
    let Admitted::Waiting(doubtful) = shop.admit("a", "k5", "30000") else {
        panic!("a receipt beside an error lifts it")
    };
    wait(shop.vault.end_waiting(&doubtful.record.id, Event::Cancelled, "agent")).unwrap();
    let delivered = Note { outcome: Some(Outcome::Completed), ..Note::default() };
    wait(shop.vault.note(&later, delivered)).unwrap();
    let claimed = Note { settlement: Some(countersign_core::status::Settlement::Claimed), ..Note::default() };
    wait(shop.vault.note(&later, claimed)).unwrap();
    assert_eq!(rule_of(shop.admit("a", "k6", "30000")).0, "allow", "a later one is claimed");
}

#[test]
fn paused_agents_get_no_row_and_no_signature_but_old_answers() {
    use countersign_vault::Scope;
    let home = Home::new();
    let shop = home.open_for(&["a", "b"]);
    let held = shop.reserved("a", "k1", "30000");
    let id = held.record().id.clone();
    wait(shop.vault.pause(Scope::Agent(shop.name("a")), None)).unwrap();
    assert!(matches!(wait(shop.vault.admit(shop.request("a", "k2", "30000"))), Err(VaultError::Paused)));
    assert!(matches!(shop.vault.sign(held), Err(countersign_vault::SignError::Paused)));
    assert!(matches!(wait(shop.vault.sign_again(&id)), Err(VaultError::Paused)));
    assert!(matches!(shop.admit("a", "k1", "30000"), Admitted::Same(_)));
    assert_eq!(rule_of(shop.admit("b", "k1", "30000")).0, "allow");
    wait(shop.vault.pause(Scope::All, Some(countersign_core::Millis(crate::support::NOON.0 + 1000)))).unwrap();
    assert_eq!(shop.vault.health(), countersign_vault::Health::Paused);
    home.clock.advance_ms(1000);
    assert_eq!(shop.vault.health(), countersign_vault::Health::Ok);
    wait(shop.vault.resume(Scope::Agent(shop.name("a")))).unwrap();
    assert_eq!(rule_of(shop.admit("a", "k2", "30000")).0, "allow");
}
