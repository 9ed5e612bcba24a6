//! The real window on a real screen: it shows the question, a synthetic click does not pay, and closing it is a no.
//!
//! Needs an X display, as `cargo xtask test` provides one; says so and does nothing without.

use std::{path::Path, process::Command, time::Duration};

use crate::{
    screen,
    support::{
        Client, Place,
        bridge::{Lines, arguments, hello},
        hostile_seller::HostileSeller,
        service::program,
        until,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn the_window_shows_the_question_ignores_a_synthetic_click_and_closing_it_denies() {
    let Some(_turn) = screen::turn().await else { return };
    let (place, payer) = Place::with_wallet("[server]\nport = 0\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    let token = place.agent("researcher");
    let seller = HostileSeller::start(&payer).await;
    let service = place.desktop();
    let client = Client::new(&service.url, &token);
    let asking = tokio::spawn({
        let (client, url) = (client.clone(), seller.case("no-receipt"));
        async move { client.fetch(&url, "one").await }
    });
    let window = screen::question("approval.png").await;

    // Well past the arm time, all over the place where Pay is.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for x in ["330", "380", "430"] {
        for y in (560..716).step_by(12) {
            screen::press(&window, x, &y.to_string()).await;
        }
    }
    let (_, list) = client.get("/v1/payments").await;
    assert_eq!(list["payments"][0]["state"], "waiting", "a synthetic click moved the payment: {list}");
    assert_eq!(seller.credentials("no-receipt").len(), 0);

    screen::close_until(&window, async || asking.is_finished()).await;
    let (status, body) = asking.await.unwrap();
    assert_eq!((status, body["code"].as_str()), (403, Some("denied_by_human")), "{body}");
    assert_eq!(seller.credentials("no-receipt").len(), 0);
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_window_tells_what_was_paid_through_its_own_commands() {
    let Some(_turn) = screen::turn().await else { return };
    let (place, payer) = Place::with_wallet("[server]\nport = 0\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    let token = place.agent("researcher");
    let seller = HostileSeller::start(&payer).await;
    let service = place.desktop_on("activity");
    let client = Client::new(&service.url, &token);
    screen::shown("^Countersign$", "activity-empty.png").await;
    let asking = tokio::spawn({
        let (client, url) = (client.clone(), seller.case("no-receipt"));
        async move { client.fetch(&url, "one").await }
    });
    let window = screen::question("approval-beside.png").await;
    screen::close_until(&window, async || asking.is_finished()).await;
    asking.await.unwrap();
    // Only the page's own call fills the read model, and only with what the page may read.
    until("the page to read the refused payment", async || {
        let view = rusqlite::Connection::open_with_flags(
            place.path().join("view.sqlite"),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        );
        let lines = view.and_then(|view| {
            view.query_row("SELECT w.text FROM line l JOIN word w ON w.id = l.state", [], |row| row.get::<_, String>(0))
        });
        lines.is_ok_and(|state| state == "denied").then_some(())
    })
    .await;
    screen::shown("^Countersign$", "activity.png").await;
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_opens_the_window_of_the_first_and_one_by_a_program_does_not() {
    let Some(_turn) = screen::turn().await else { return };
    let (place, _) = Place::with_wallet("[server]\nport = 0\n");
    let service = place.desktop();
    let quiet = place.command(&["--quietly", "--json"]).output().unwrap();
    assert_eq!(quiet.status.code(), Some(5), "{quiet:?}");
    assert_eq!(screen::count("^Countersign$").await, 0);
    for _ in 0..2 {
        let second = place.command(&["--json", "--show", "limits"]).output().unwrap();
        assert!(second.status.success(), "{second:?}");
        let window = screen::shown("^Countersign$", "second-start.png").await;
        screen::close_until(&window, async || screen::count("^Countersign$").await == 0).await;
    }
    service.stop();
    // Where nothing has a window, who starts it is told what is in the way.
    let service = place.serve("deny");
    let second = place.command(&["--json"]).output().unwrap();
    assert_eq!(second.status.code(), Some(5), "{second:?}");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_first_starts_the_app_where_there_is_a_screen() {
    let Some(_turn) = screen::turn().await else { return };
    let (place, _) = Place::with_wallet("[server]\nport = 0\n");
    for agent in ["one", "two"] {
        place.ok(&["agent", "add", agent, "--bridge", "--json"]);
    }
    // One bridge has the screen in its own environment, the other finds it in that of the client, and one app serves both.
    let mut own = Lines::start(Command::new(program()).args(arguments(&place, "one")));
    let mut clients = Lines::start(Command::new(program()).args(arguments(&place, "two")).env_remove("DISPLAY"));
    own.says(&hello());
    clients.says(&hello());
    for client in [&mut own, &mut clients] {
        let answer = client.hears();
        assert_eq!(answer["result"]["serverInfo"]["name"], "countersign", "{answer}");
    }
    own.ends();
    clients.ends();
    // Both bridges may have started one; the second finds the first at work and ends.
    let pid = until("one app", async || match apps(place.path()).as_slice() {
        [app] => rustix::process::Pid::from_raw(*app),
        _ => None,
    })
    .await;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    until("the app ended", async || apps(place.path()).is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_loads_no_graphics_driver_before_a_window_opens() {
    let Some(_turn) = screen::turn().await else { return };
    // Only the first GTK program of a screen asks the driver, and leaves the answer here for the others.
    let forgotten = Command::new("xprop").args(["-root", "-remove", "GDK_VISUALS"]).status();
    assert!(forgotten.is_ok_and(|status| status.success()), "xprop is needed");
    let (place, _) = Place::with_wallet("[server]\nport = 0\n");
    let service = place.desktop();
    let Ok(maps) = std::fs::read_to_string(format!("/proc/{}/maps", service.pid())) else {
        println!("skipped: only root can see what this process has loaded");
        return;
    };
    assert!(maps.contains("libgdk-3"), "the toolkit is in the program");
    for driver in ["libGLX_", "libEGL_", "libLLVM", "libgallium", "_dri.so"] {
        assert!(!maps.contains(driver), "{driver} was loaded");
    }
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_window_open_nothing_of_webkit_runs_and_the_next_window_opens_all_the_same() {
    let Some(_turn) = screen::turn().await else { return };
    let (place, payer) = Place::with_wallet("[server]\nport = 0\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    let token = place.agent("researcher");
    // Otherwise the app begins with a question about the new agent.
    place.ok(&["confirm", "policy", "--json"]);
    let seller = HostileSeller::start(&payer).await;
    let service = place.desktop_on("activity");
    let window = screen::shown("^Countersign$", "webkit-main.png").await;
    let running = webkit(service.pid());
    for name in ["WebKitWebProces", "WebKitNetworkPr"] {
        assert!(running.iter().any(|one| one.starts_with(name)), "{name} in {running:?}");
    }
    screen::close_until(&window, async || screen::count("^Countersign$").await == 0).await;
    until("nothing of WebKit", async || webkit(service.pid()).is_empty().then_some(())).await;

    let client = Client::new(&service.url, &token);
    let asking = tokio::spawn({
        let (client, url) = (client.clone(), seller.case("no-receipt"));
        async move { client.fetch(&url, "one").await }
    });
    let window = screen::question("webkit-question.png").await;
    screen::close_until(&window, async || asking.is_finished()).await;
    let (status, body) = asking.await.unwrap();
    assert_eq!((status, body["code"].as_str()), (403, Some("denied_by_human")), "{body}");
    until("nothing of WebKit", async || webkit(service.pid()).is_empty().then_some(())).await;
    service.stop();
}

/// The names of WebKit's processes that this process started.
fn webkit(pid: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<String> =
        lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    let names = children.iter().filter_map(|child| std::fs::read_to_string(format!("/proc/{child}/comm")).ok());
    names.filter(|name| name.starts_with("WebKit")).collect()
}

/// Processes of the app on this data directory.
fn apps(dir: &Path) -> Vec<i32> {
    let numbers =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let dir = dir.as_os_str().as_encoded_bytes();
    let ours = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        words.next().is_some_and(|word| word.ends_with(b"countersign")) && words.any(|word| word == dir)
    };
    numbers.filter(ours).collect()
}
