//! A ledger of every older schema, as that version left it, opens, is brought up to date and is trusted.

use countersign_core::payment::Digest;
use countersign_vault::{
    Admitted,
    keys::{KeyStore as _, Secret},
};

use crate::support::{Home, wait};

/// The key that guards `old/0001.sqlite`, and the token of its agent `kept`. They guard nothing but play money in this file.
const KEY: &str = "ef07e676969146af0b2b4794005bea5f81086732b0ddc24db7dd8f6b180de435";
const TOKEN: &str = "cs1_6f8b3e1221190871_28e3f78fd7770eac908c0698ddbaa3d2d0ad44ebcc287419a976f8a2fbfad2c1";

#[test]
fn a_ledger_of_the_first_schema_opens_with_its_payment_its_agents_and_its_seal() {
    let home = Home::new();
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(home.path()).unwrap();
    std::fs::write(home.file(), include_bytes!("old/0001.sqlite")).unwrap();
    std::fs::set_permissions(home.file(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    // The guard key is named after the directory, which is another one here.
    let place = home.path().canonicalize().unwrap();
    let name = Digest::of(&[b"countersign data directory 1", place.as_os_str().as_encoded_bytes()]).to_string();
    let key = (0..KEY.len()).step_by(2).map(|at| u8::from_str_radix(&KEY[at..at + 2], 16).unwrap()).collect();
    home.store.set(&format!("ledger:{}", &name[..16]), &Secret::new(key)).unwrap();

    let shop = home.open_for(&["fresh"]);
    assert!(!shop.vault.doubts().any(), "{:?}", shop.vault.doubts());
    assert_eq!(shop.faults(), Vec::<String>::new());
    assert_eq!(shop.vault.authenticate(TOKEN), Some(shop.name("kept")));
    let agents = wait(shop.vault.list_agents()).unwrap();
    assert!(agents.iter().all(|agent| agent.program.is_none() && agent.confirmed), "{agents:?}");
    let Admitted::Same(paid) = shop.admit("old", "k1", "10000") else { panic!("the payment is gone") };
    assert!(paid.signed);
    wait(shop.vault.bind_agent(&shop.name("kept"), "/usr/bin/node")).unwrap();
    drop(shop);

    let copy = home.path().join("ledger.before-3.sqlite");
    let version = |file: &std::path::Path| -> i64 {
        let conn = rusqlite::Connection::open(file).unwrap();
        conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    assert_eq!((version(&copy), version(&home.file())), (1, 3));
    let shop = home.open_for(&[]);
    assert!(!shop.vault.doubts().any(), "{:?}", shop.vault.doubts());
}
