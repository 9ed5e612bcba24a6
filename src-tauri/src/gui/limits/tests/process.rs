//! An answer that holds until the program that asked exits, over real processes.

use countersign_core::payment::ProcessId;
use countersign_vault::process;

use super::{condition::Condition, view::RuleView, *};

#[tokio::test]
async fn an_answer_until_the_program_exits_ends_with_that_very_process_and_is_for_no_other() {
    let home = home(EVERYDAY).await;
    let of = |life: u8, pid: u32| {
        let process = Some(ProcessId::seen([life; 8], pid, process::began(pid).unwrap()));
        Some(Program { path: "/usr/bin/sleep".into(), parent: None, process })
    };
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let (first, second) = (of(1, child.id()), of(1, std::process::id()));
    // Unanswered questions end before the next one.
    let asks = async |n: u8, program: Option<Program>| {
        home.clock.advance_ms(200_000);
        home.asks_as(n, "1000000", program).await
    };
    let id = |n: u8| PaymentId::from_random([n; 16]).to_string();
    assert_eq!(asks(1, first.clone()).await, "asks");
    assert_eq!(home.room.remember(&id(1), true, Remember::Process, None).await, Err(LimitsError::Over), "first sight");
    let known = LimitsEdit::Pin {
        origin: "https://api.example".into(),
        account: "0x2222222222222222222222222222222222222222".into(),
        asset: "eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913".into(),
    };
    let (pin, words) = home.begin(&known).await;
    home.clock.advance_ms(WAIT_MS);
    home.room.confirm(&pin, &words).await.unwrap();

    assert_eq!(asks(2, None).await, "asks");
    let refused = home.room.remember(&id(2), true, Remember::Process, None).await;
    assert_eq!(refused, Err(LimitsError::Over), "no program was seen");
    assert_eq!(asks(3, first.clone()).await, "asks");
    home.room.remember(&id(3), true, Remember::Process, None).await.unwrap();
    let until = Some(Millis(home.clock.wall().0 + PROCESS_MS));
    assert!(home.vault.policy().unwrap().rules().iter().any(|rule| rule.expires == until));
    let listed = async || {
        let view = home.room.view().await.unwrap();
        let only = |rule: &RuleView| rule.conditions.iter().any(|c| matches!(c, Condition::UntilExit { .. }));
        let rules: Vec<RuleView> = view.rules.into_iter().filter(only).collect();
        let budgets = view.budgets.iter().filter(|b| rules.iter().any(|r| b.rule.as_ref() == Some(&r.id))).count();
        (rules, budgets, view.budgets.iter().filter(|b| b.rule.as_ref().is_some_and(|id| id.contains("pay"))).count())
    };
    let exe = std::fs::read_link(format!("/proc/{}/exe", child.id())).unwrap();
    let program = exe.file_name().unwrap().to_str().unwrap().to_owned();
    let (rules, ..) = listed().await;
    assert!(rules[0].conditions.contains(&Condition::UntilExit { program }), "{rules:?}");
    assert_eq!((rules.len(), listed().await.1, listed().await.2), (1, 1, 1));
    let later =
        Room::new(home.vault.clone(), home.room.registry.clone(), home.room.approver.clone(), home.clock.clone());
    assert!(later.view().await.unwrap().rules.iter().all(|rule| rule.id != rules[0].id), "Countersign began anew");
    assert_eq!(asks(4, first.clone()).await, "paid");
    assert_eq!(asks(5, second.clone()).await, "asks", "another process");
    assert_eq!(asks(6, of(2, child.id())).await, "asks", "Countersign began anew");
    assert_eq!(asks(7, None).await, "asks", "no program is seen");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(asks(8, first.clone()).await, "asks", "it has ended");
    assert_eq!(listed().await, (vec![], 0, 0), "and is not listed any more");
    let ended = first.and_then(|program| program.process).unwrap();
    let kept = || home.vault.policy().unwrap().rules().iter().filter_map(policy::held_to).any(|run| run == ended);
    assert!(kept(), "nobody wrote the policy since");
    assert_eq!(home.room.remember(&id(8), true, Remember::Process, None).await, Err(LimitsError::Over));
    assert_eq!(asks(9, second.clone()).await, "asks");
    home.room.remember(&id(9), false, Remember::Process, None).await.unwrap();
    assert_eq!(asks(10, second).await, "refused");
    assert_eq!(asks(11, None).await, "asks", "a no is for that process alone, too");
    home.room.remember(&id(11), true, Remember::Hour, None).await.unwrap();
    assert!(!kept(), "it goes with the next yes");
    assert_eq!(listed().await.0.len(), 1, "what holds for a run that goes on stays");
}
