//! Nothing goes out that nobody set up: every connection and every name of a whole process, as the system's library sees them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Client, Place, Service, hostile_seller::HostileSeller, till::up_to};

/// A library that writes down where a program connects to; see `tests/support/connects.c`.
fn watcher(dir: &Path) -> String {
    let (source, library) = (concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/connects.c"), dir.join("connects.so"));
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).args([source, "-ldl"]).status();
    assert!(built.expect("a C compiler, as Rust needs one to link").success());
    library.to_str().expect("a path").to_owned()
}

/// A place, and where what it connects to is written down.
struct Watched {
    place: Place,
    library: String,
    log: PathBuf,
}

impl Watched {
    fn new(place: Place) -> Self {
        let (library, log) = (watcher(place.path()), place.path().join("connects"));
        Self { place, library, log }
    }

    fn environment(&self) -> [(&str, &str); 2] {
        [("LD_PRELOAD", &self.library), ("CONNECTS", self.log.to_str().expect("a path"))]
    }

    fn went_to(&self) -> Vec<String> {
        let mut all: Vec<String> =
            std::fs::read_to_string(&self.log).unwrap_or_default().lines().map(str::to_owned).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// What an agent may do all day without a seller.
async fn a_quiet_day(service: &Service, token: &str) {
    let client = Client::new(&service.url, token);
    for path in ["/healthz", "/v1/payments", "/v1/budget"] {
        assert_eq!(client.get(path).await.0, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_configured_nothing_is_connected_to_and_no_name_is_looked_up() {
    let (place, payer) = Place::with_wallet("");
    let token = place.agent("researcher");
    let watched = Watched::new(place);
    let service = watched.place.serve_with("deny", &watched.environment());
    a_quiet_day(&service, &token).await;
    service.stop();
    assert_eq!(watched.went_to(), [""; 0]);

    // The same eyes see the one connection that somebody set up.
    let (place, _) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    place.policy(&up_to("1.00"));
    let token = place.agent("researcher");
    let watched = Watched::new(place);
    let seller = HostileSeller::start(&payer).await;
    let url = seller.case("no-receipt");
    let service = watched.place.serve_with("deny", &watched.environment());
    assert_eq!(Client::new(&service.url, &token).fetch(&url, "one").await.0, 200);
    service.stop();
    let port = url.rsplit_once("127.0.0.1:").and_then(|(_, rest)| rest.split('/').next()).expect("a port");
    assert_eq!(watched.went_to(), [format!("127.0.0.1 {port}")]);
}

#[cfg(all(feature = "gui", not(feature = "ui-automation"), target_os = "linux"))]
#[tokio::test(flavor = "multi_thread")]
async fn the_desktop_with_its_windows_connects_to_nothing_by_itself() {
    let Some(_turn) = crate::screen::turn().await else { return };
    let (place, _) = Place::with_wallet("[server]\nport = 0\n");
    let token = place.agent("researcher");
    let watched = Watched::new(place);
    let service = watched.place.desktop_with("settings", &watched.environment());
    crate::screen::shown("^Countersign$", "outbound.png").await;
    a_quiet_day(&service, &token).await;
    service.stop();
    assert_eq!(watched.went_to(), [""; 0]);
}
