//! The room over a real ledger, with a scripted person in the window that asks.

use super::{
    clients::ClientStands,
    merchant::{CheckedView, GatewayName},
    view::{PauseView, PaysView},
    *,
};
use countersign_core::{Millis, asset::Network, policy::Policy};
use countersign_desk::wire::{Wire, WireLimits};
use countersign_vault::{
    Health, ManualClock, Open, PayerFor, SetBy,
    activity::Spent,
    keys::{Keys, memory::MemoryStore},
};
use std::{collections::BTreeMap, path::Path, sync::atomic::Ordering};

use crate::{
    alipay::{Alipay, setup},
    connect::Os,
    gui::{person::Person, qr::QrView},
};

const NOW: Millis = Millis(1_795_000_000_000);

struct Home {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    person: Arc<Person>,
    vault: Vault,
    room: Room,
}

async fn home(agents: &[&str]) -> Home {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let registry = Arc::new(Registry::builtin("USD"));
    let policy = Policy::preset("everyday", "USD").unwrap();
    let keys = Keys::start(Box::new(MemoryStore::new()));
    let open = Open::new(dir.path().join("data"), clock.clone(), keys, registry, policy);
    let vault = Vault::open(Open { min_free_bytes: 0, ..open }).unwrap();
    for name in agents {
        vault.add_agent(&name.parse().unwrap(), false, SetBy::Person).await.unwrap();
    }
    let person = Arc::new(Person::default());
    let roots = Roots { os: Os::Linux, home: dir.path().join("home"), variables: BTreeMap::new() };
    std::fs::create_dir_all(roots.home.join(".cursor")).unwrap();
    let place = Place { dir: dir.path().to_owned(), config: dir.path().join("config.toml") };
    let room = Room::new(vault.clone(), person.clone(), place, Ok(roots));
    Home { dir, clock, person, vault, room }
}

fn today(now: Millis) -> Today {
    let spent = |value| Spent { value, count: 2, unknown: 0 };
    Today {
        now,
        real: [("researcher".to_owned(), spent(1_230_000))].into(),
        play: [("coder".to_owned(), spent(10_000))].into(),
        behind: 0,
        reference: "USD".to_owned(),
    }
}

impl Home {
    async fn view(&self, now: Millis) -> AgentsView {
        self.room.agents(&today(now), Some("http://127.0.0.1:4020")).await.unwrap()
    }
}

#[tokio::test]
async fn each_agent_shows_its_times_its_sums_and_a_wallet_of_its_own() {
    let home = home(&["coder", "researcher"]).await;
    home.vault.create_wallet("main").await.unwrap();
    let own = home.vault.create_wallet("trips\u{202e}").await.unwrap();
    let who = PayerFor { agent: Some("coder".parse().unwrap()), network: None };
    home.vault.set_payer(who, &own.address).await.unwrap();
    let seen = home.view(NOW).await;
    let (coder, researcher) = (&seen.agents[0], &seen.agents[1]);
    assert_eq!((coder.name.as_str(), coder.today.value.as_str()), ("coder", "0.00 USD"));
    assert_eq!(coder.play.as_ref().unwrap().value, "0.01 USD");
    assert_eq!((researcher.today.value.as_str(), &researcher.play), ("1.23 USD", &None));
    assert_eq!((coder.wallet.as_ref().unwrap().address.as_str(), &researcher.wallet), (own.address.as_str(), &None));
    assert!(!coder.wallet.as_ref().unwrap().label.contains('\u{202e}'));
    assert_eq!((coder.since.as_str(), &coder.seen), (NOW.rfc3339().as_str(), &None));
    let month = 30 * 86_400_000;
    assert_eq!((coder.ends.clone(), coder.ended), (Some(Millis(NOW.0 + month).rfc3339()), false));
    assert!(home.view(Millis(NOW.0 + month + 1)).await.agents[0].ended);
    assert_eq!(seen.mcp.as_deref(), Some("http://127.0.0.1:4020/mcp"));
    let closed = home.room.agents(&today(NOW), None).await.unwrap();
    assert_eq!((closed.address, closed.mcp), (None, None));
}

#[tokio::test]
async fn a_token_that_was_used_is_seen() {
    let home = home(&[]).await;
    let name = "coder".parse().unwrap();
    let token = home.vault.add_agent(&name, true, SetBy::Command).await.unwrap();
    let later = Millis(NOW.0 + 7_200_000);
    home.clock.set_wall(later);
    assert!(home.vault.authenticate(std::str::from_utf8(token.expose()).unwrap()).is_some());
    let agent = home.view(later).await.agents.remove(0);
    assert_eq!((agent.seen, agent.asks_always, agent.unconfirmed), (Some(later.rfc3339()), true, true));
}

#[tokio::test]
async fn an_agent_is_paused_at_once_and_resumed_only_by_the_person() {
    let home = home(&["coder", "researcher"]).await;
    home.room.pause("coder").await.unwrap();
    let coder = "coder".parse().unwrap();
    let seen = home.view(NOW).await;
    assert_eq!([&seen.agents[0].pause, &seen.agents[1].pause], [&PauseView::Open, &PauseView::No]);
    assert_eq!(home.vault.health(), Health::Ok);
    let refused = home.room.resume("coder").await.unwrap_err();
    assert!(refused.to_string().contains("coder stays paused"), "{refused}");
    assert!(home.vault.is_paused(&coder));
    home.person.says.store(true, Ordering::SeqCst);
    home.room.resume("coder").await.unwrap();
    assert!(!home.vault.is_paused(&coder));
    let titles: Vec<String> = home.person.asked.lock().unwrap().iter().map(|change| change.title.to_string()).collect();
    assert_eq!(titles, ["Resume the payments of coder?"; 2]);
}

#[tokio::test]
async fn a_pause_with_an_end_says_when_and_is_over_then() {
    let home = home(&["coder"]).await;
    let until = Millis(NOW.0 + 60_000);
    home.vault.pause(Scope::Agent("coder".parse().unwrap()), Some(until)).await.unwrap();
    assert_eq!(home.view(NOW).await.agents[0].pause, PauseView::Until { time: until.rfc3339() });
    assert_eq!(home.view(until).await.agents[0].pause, PauseView::No);
}

#[tokio::test]
async fn a_revoked_agent_is_gone_with_its_token_and_its_file() {
    let home = home(&["researcher"]).await;
    let name: AgentName = "coder".parse().unwrap();
    let blank = token::Blank::make(home.dir.path(), &name).unwrap();
    let token = home.vault.add_agent(&name, false, SetBy::Person).await.unwrap();
    let token = std::str::from_utf8(token.expose()).unwrap();
    let file = blank.keep(token).unwrap();
    home.room.revoke("coder").await.unwrap();
    assert_eq!((home.vault.authenticate(token), file.exists()), (None, false));
    let seen = home.view(NOW).await;
    assert_eq!((seen.agents.len(), seen.agents[0].name.as_str()), (1, "researcher"));
    assert_eq!((seen.gone.len(), seen.gone[0].name.as_str()), (1, "coder"));
    for name in ["coder", "nobody", "../x"] {
        assert!(home.room.revoke(name).await.is_err() && home.room.pause(name).await.is_err(), "{name}");
        assert!(home.room.resume(name).await.is_err(), "{name}");
    }
    assert!(home.person.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_wallet_says_whom_it_pays_for_and_where_its_key_is() {
    let home = home(&["coder", "old"]).await;
    let registry = Registry::builtin("USD");
    assert_eq!(home.room.wallets(&registry, 0, &Ok(None)).await.unwrap().wallets, []);
    let main = home.vault.create_wallet("main").await.unwrap();
    home.clock.advance_ms(1);
    let spare = home.vault.create_wallet("spare").await.unwrap();
    for (agent, network) in [("coder", None), ("coder", Some(Network::eip155(8453))), ("old", None)] {
        let who = PayerFor { agent: Some(agent.parse().unwrap()), network };
        home.vault.set_payer(who, &spare.address).await.unwrap();
    }
    home.room.revoke("old").await.unwrap();
    let seen = home.room.wallets(&registry, 0, &Ok(None)).await.unwrap();
    let pays = |agent: Option<&str>, network: Option<&str>| PaysView {
        agent: agent.map(str::to_owned),
        network: network.map(str::to_owned),
    };
    assert_eq!((seen.wallets[0].address.as_str(), seen.wallets[0].label.as_str()), (main.address.as_str(), "main"));
    assert_eq!(seen.wallets[0].pays, [pays(None, None)]);
    assert_eq!(seen.wallets[1].pays, [pays(Some("coder"), None), pays(Some("coder"), Some("Base"))]);
    assert_eq!(seen.kept, KeptIn::Memory);
    let kinds = ["os-keyring", "encrypted-file"].map(KeptIn::of);
    assert_eq!(kinds, [KeptIn::OsKeyring, KeptIn::EncryptedFile]);
}

#[tokio::test]
async fn a_client_is_connected_after_the_change_was_shown_and_its_agent_agreed_to() {
    let home = home(&[]).await;
    let file = home.dir.path().join("home/.cursor/mcp.json");
    let stands = || {
        let all = home.room.clients().unwrap();
        assert_eq!((all.len(), all[0].id.as_str(), all[0].name.as_str()), (1, "cursor", "Cursor"));
        (all[0].stands, all[0].why.clone())
    };
    assert_eq!(stands(), (ClientStands::NotSet, None));
    assert!(home.room.client_go("cursor").await.is_err(), "nothing was shown");
    let change = home.room.client_change("cursor", false).await.unwrap();
    assert!(change.pairs && change.diffs.len() == 1 && change.diffs[0].contains("countersign"), "{change:?}");
    assert!(home.room.client_go("codex").await.is_err(), "what was shown is another client's");

    let no = home.room.client_go("cursor").await.unwrap_err();
    assert!(no.to_string().contains("not confirmed") && !file.exists(), "{no}");
    assert_eq!(home.person.asked.lock().unwrap()[0].title.to_string(), "Give the agent cursor a purse?");
    assert_eq!(home.vault.list_agents().await.unwrap().len(), 0);
    assert!(home.room.client_go("cursor").await.is_err(), "it was done, or was not, once");

    home.person.says.store(true, Ordering::SeqCst);
    home.room.client_change("cursor", false).await.unwrap();
    home.room.client_go("cursor").await.unwrap();
    assert_eq!(stands(), (ClientStands::Connected, None));
    let token = token::read(&home.room.place.dir, &"cursor".parse().unwrap()).unwrap();
    let token = std::str::from_utf8(token.expose()).unwrap();
    assert_eq!(home.vault.authenticate(token).map(|agent| agent.to_string()).as_deref(), Some("cursor"));
    assert!(!std::fs::read_to_string(&file).unwrap().contains(token));

    home.room.revoke("cursor").await.unwrap();
    assert!(matches!(stands(), (ClientStands::Stale, Some(why)) if why.contains("no token")));
    home.room.client_change("cursor", true).await.unwrap();
    std::fs::write(&file, "{}").unwrap();
    assert!(home.room.client_go("cursor").await.is_err(), "it has become another file since");
    std::fs::write(&file, "{").unwrap();
    assert!(matches!(stands(), (ClientStands::Broken, Some(_))));
    assert!(home.room.client_change("cursor", false).await.is_err());
}

#[tokio::test]
async fn another_wallet_pays_by_default_only_after_a_yes_in_the_window_that_asks() {
    let home = home(&["coder"]).await;
    let registry = Registry::builtin("USD");
    home.vault.create_wallet("main").await.unwrap();
    let spare = home.vault.create_wallet("spare").await.unwrap();
    let base = Network::eip155(8453);
    let payer = || home.vault.payer(&"coder".parse().unwrap(), &base);
    let told = home.room.pays(&registry, &spare.address, Some("eip155:8453")).await;
    assert!(told.is_err_and(|error| error.to_string().contains("stays the same")));
    assert_ne!(payer(), Some(spare.address.clone()));
    home.person.says.store(true, Ordering::SeqCst);
    home.room.pays(&registry, &spare.address, Some("eip155:8453")).await.unwrap();
    assert_eq!(payer(), Some(spare.address.clone()));
    let asked = home.person.asked.lock().unwrap().last().cloned().unwrap();
    assert_eq!(asked.title.to_string(), "Pay from spare on Base?");
    assert!(asked.lines[0].to_string().contains(&spare.address), "{asked:?}");
    for (address, network) in [("0x0", None), (spare.address.as_str(), Some("eip155:5"))] {
        assert!(home.room.pays(&registry, address, network).await.is_err(), "{address} {network:?}");
    }
    let networks = home.room.wallets(&registry, 0, &Ok(None)).await.unwrap().networks;
    assert!(networks.iter().any(|one| one.name == "Base Sepolia" && one.testnet));
}

fn merchant(gateway: &str) -> Merchant {
    Merchant {
        app_id: "2021000000000001".into(),
        gateway: gateway.into(),
        sandbox: gateway == setup::SANDBOX,
        alipay_key: String::new(),
        public_key: String::new(),
        return_url: None,
        notify_url: Some("https://shop.example/\u{202e}notice".into()),
    }
}

#[test]
fn a_merchant_says_whose_gateway_it_asks_and_nothing_that_hides() {
    for (gateway, name) in [
        (setup::PRODUCTION, GatewayName::Production),
        (setup::SANDBOX, GatewayName::Sandbox),
        ("https://gateway.example/", GatewayName::Custom),
    ] {
        let seen = MerchantView::of(&merchant(gateway));
        assert_eq!((seen.gateway, seen.at.as_str(), seen.test), (name, gateway, name == GatewayName::Sandbox));
        assert_eq!(seen.notify_url.as_deref(), Some("https://shop.example/%E2%80%AEnotice"));
    }
}

#[tokio::test]
async fn a_merchant_goes_only_after_a_yes_and_its_tools_with_it() {
    let home = home(&[]).await;
    let limits = WireLimits { max_response_bytes: 1024, timeout: Duration::from_secs(1) };
    let wire = Wire::new([], limits).unwrap();
    let own = home.vault.set_merchant(merchant(setup::SANDBOX), None).await.unwrap();
    let made = Merchant { alipay_key: own.public_key, ..merchant(setup::SANDBOX) };
    home.vault.set_merchant(made, None).await.unwrap();
    let alipay = Alipay::open(home.vault.clone(), &wire, home.clock.clone()).await;
    let registry = Registry::builtin("USD");
    let seen = home.room.wallets(&registry, 0, &alipay.merchant()).await.unwrap().merchant.unwrap();
    let kept = home.vault.merchant().await.unwrap().unwrap();
    assert_eq!((seen.app_id.as_str(), seen.public_key), ("2021000000000001", kept.public_key), "whole");
    let refused = home.room.merchant_remove(&alipay).await.unwrap_err();
    assert!(refused.to_string().contains("the merchant stays"), "{refused}");
    assert!(alipay.is_set_up() && home.vault.merchant().await.unwrap().is_some());
    home.person.says.store(true, Ordering::SeqCst);
    home.room.merchant_remove(&alipay).await.unwrap();
    assert!(!alipay.is_set_up() && home.vault.merchant().await.unwrap().is_none());
    assert_eq!(CheckedView::of(alipay.check().await), CheckedView::NoMerchant);
    assert_eq!(home.person.asked.lock().unwrap().len(), 2);
}

#[test]
fn the_bindings_are_current() {
    use super::super::view::tests::check;
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/ipc/bindings");
    let mut stale = Vec::new();
    let all: [fn(&Path, &mut Vec<String>); 21] = [
        check::<clients::ClientView>,
        check::<clients::ClientStands>,
        check::<clients::ClientChange>,
        check::<view::AgentsView>,
        check::<view::AgentView>,
        check::<view::GoneView>,
        check::<view::KeptIn>,
        check::<view::PauseView>,
        check::<view::PaysView>,
        check::<view::WalletName>,
        check::<view::WalletsView>,
        check::<view::WalletView>,
        check::<view::NetworkName>,
        check::<money::MoneyView>,
        check::<money::FloatView>,
        check::<money::MoneyOn>,
        check::<QrView>,
        check::<money::HasView>,
        check::<merchant::MerchantView>,
        check::<merchant::GatewayName>,
        check::<merchant::CheckedView>,
    ];
    all.iter().for_each(|check| check(&dir, &mut stale));
    assert!(stale.is_empty(), "run the test once with UPDATE_BINDINGS=1 for: {stale:#?}");
}
