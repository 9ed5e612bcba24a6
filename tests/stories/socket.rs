//! The door for agents: for this user alone, behind the same guard as the port.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::{fs::PermissionsExt as _, net::UnixListener, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::support::{
    Place,
    bridge::{bare, hello},
    raw::exchange_at,
    shop::LIMITS,
};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn place() -> (Place, String) {
    let place = Place::new("");
    place.policy(LIMITS);
    let token = place.agent("researcher");
    (place, token)
}

#[test]
fn the_door_is_for_its_owner_and_has_the_same_guard() {
    let (place, token) = place();
    let service = place.serve("deny");
    let socket = place.path().join("agents.sock");
    assert_eq!((mode(&socket), mode(place.path())), (0o600, 0o700));
    let get = |path: &str, host: &str, rest: &str| {
        let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{rest}\r\n");
        exchange_at(&socket, text.as_bytes()).status
    };
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(get("/v1/budget", "countersign", &bearer), 200);
    assert_eq!(get("/v1/budget", "countersign", ""), 401);
    assert_eq!(get("/healthz", "countersign", "Authorization: Bearer cs1_00_11\r\n"), 401);
    assert_eq!(get("/mcp", "countersign", ""), 401);
    let port = service.url.rsplit(':').next().unwrap();
    for host in ["localhost", "countersign:80", "COUNTERSIGN.", "", &format!("127.0.0.1:{port}")] {
        assert_eq!(get("/v1/budget", host, &bearer), 421, "{host}");
    }
    for header in ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: same-origin"] {
        assert_eq!(get("/v1/budget", "countersign", &format!("{bearer}{header}\r\n")), 403, "{header}");
    }
    let over_tcp = format!("GET /v1/budget HTTP/1.1\r\nHost: countersign\r\nConnection: close\r\n{bearer}\r\n");
    assert_eq!(crate::support::raw::exchange(&service.url, over_tcp.as_bytes()).status, 421);
    service.stop();
    assert!(!socket.exists(), "the socket is still there after the app has gone");
}

#[test]
fn a_squatter_stops_the_start_and_a_dead_socket_does_not() {
    let (place, _) = place();
    let socket = place.path().join("agents.sock");
    let squatter = UnixListener::bind(&socket).unwrap();
    let output = place.run(&["serve", "--port", "0", "--approver", "deny"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("held by another program") && said.contains("agents.sock"),
        "{said}"
    );
    drop(squatter);
    assert!(socket.exists());
    place.serve("deny").stop();
}

/// A program of another user, or none where this user may not start one.
fn as_another_user(script: &str, argument: &Path) -> Option<Child> {
    const NOBODY: u32 = 65_534;
    let mut command = Command::new("node");
    command.args(["-e", script]).arg(argument).current_dir("/").uid(NOBODY).gid(NOBODY).stdout(Stdio::piped());
    match command.spawn() {
        Ok(child) => Some(child),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            println!("skipped: only root can act as another user");
            None
        }
        Err(error) => panic!("node: {error}"),
    }
}

fn said(child: Child) -> Vec<String> {
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn another_user_is_dropped_unread_even_with_a_token_and_an_open_folder() {
    let (place, token) = place();
    let service = place.serve("deny");
    let script = format!(
        "const s = require('net').connect(process.argv[1]); let n = 0
         s.on('connect', () => {{ console.log('connected'); s.write('GET /v1/budget HTTP/1.1\\r\\nHost: countersign\\r\\nAuthorization: Bearer {token}\\r\\nConnection: close\\r\\n\\r\\n') }})
         s.on('data', (d) => (n += d.length)).on('error', (e) => e.code === 'EACCES' && console.log(e.code)).on('close', () => console.log('got ' + n))"
    );
    let socket = place.path().join("agents.sock");
    let Some(child) = as_another_user(&script, &socket) else { return };
    assert_eq!(said(child), ["EACCES", "got 0"]);
    set_mode(place.path(), 0o711);
    for name in ["agents.sock", "control.sock"] {
        let socket = place.path().join(name);
        set_mode(&socket, 0o666);
        let child = as_another_user(&script, &socket).unwrap();
        assert_eq!(said(child), ["connected", "got 0"], "{name}");
    }
    set_mode(place.path(), 0o700);
    service.stop();
}

#[test]
fn a_bridge_sends_nothing_to_another_users_socket() {
    let place = Place::new("");
    place.policy(LIMITS);
    place.ok(&["agent", "add", "researcher", "--bridge", "--json"]);
    let script = "let n = 0; const s = require('net').createServer((c) => {
           c.on('data', (d) => (n += d.length)).on('error', () => {}).on('close', () => { console.log('got ' + n); s.close() })
         }).listen(process.argv[1], () => console.log('listens'))";
    set_mode(place.path(), 0o777);
    let Some(mut child) = as_another_user(script, &place.path().join("agents.sock")) else { return };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "listens");
    let answer = bare(&place, "researcher").asks(&hello());
    assert_eq!(answer["error"]["code"], -32603);
    assert!(answer["error"]["message"].as_str().unwrap().contains("another user listens"), "{answer}");
    assert_eq!(lines.next().unwrap().unwrap(), "got 0");
    child.wait().unwrap();
}
