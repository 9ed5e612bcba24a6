//! The real program, started on a throw-away data directory.

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

/// The longest any single step may take on a slow machine; reached only when something is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);
const PASSPHRASE: &str = "only for tests";

/// A data directory with its own configuration, keys in an encrypted file.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// An empty one; `config` is added to the parts every test needs.
    pub fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let place = Self { dir };
        let passphrase = place.path().join("passphrase");
        std::fs::write(&passphrase, PASSPHRASE).expect("a file");
        private(&passphrase, 0o600);
        private(place.path(), 0o700);
        cheap_keys(place.path());
        place.configure(config);
        place
    }

    /// One with a wallet, and the wallet's address.
    pub fn with_wallet(config: &str) -> (Self, String) {
        let place = Self::new(config);
        let made = place.ok(&["wallet", "create", "--json"]);
        (place, made["address"].as_str().expect("an address").to_owned())
    }

    /// Replaces `config.toml`.
    pub fn configure(&self, config: &str) {
        let passphrase = self.path().join("passphrase");
        let keys = format!("[keys]\nstore = \"file\"\npassphrase_file = {:?}\n", passphrase.display().to_string());
        std::fs::write(self.path().join("config.toml"), format!("{keys}{config}")).expect("a file");
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a verb to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program runs")
    }

    /// Runs a verb that must work and prints JSON.
    pub fn ok(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?} failed: {out}{err}");
        serde_json::from_str(out.trim()).unwrap_or_else(|e| panic!("{args:?} printed no JSON ({e}): {out}{err}"))
    }

    /// Adds an agent and gives its token.
    pub fn agent(&self, name: &str) -> String {
        self.ok(&["agent", "add", name, "--json"])["token"].as_str().expect("a token").to_owned()
    }

    /// Puts a policy in force.
    pub fn policy(&self, toml: &str) {
        let file = self.path().join("policy-of-the-test.toml");
        std::fs::write(&file, toml).expect("a file");
        self.ok(&["policy", "set", file.to_str().expect("a path"), "--json"]);
    }

    /// The program with this directory and these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("--data-dir").arg(self.path()).args(args).env_remove("COUNTERSIGN_DATA_DIR");
        command
    }

    /// Starts the service with an approver and waits until it accepts connections.
    pub fn serve(&self, approver: &str) -> Service {
        self.serve_with(approver, &[])
    }

    /// The same on the port of a service that ended, so that its clients find it again.
    pub fn serve_again(&self, approver: &str, url: &str) -> Service {
        let port = url.rsplit(':').next().expect("a port");
        Service::start(self.command(&["--json", "serve", "--port", port, "--approver", approver]))
    }

    /// The same with environment variables.
    pub fn serve_with(&self, approver: &str, environment: &[(&str, &str)]) -> Service {
        let mut command = self.command(&["--json", "serve", "--port", "0", "--approver", approver]);
        command.envs(environment.iter().copied());
        Service::start(command)
    }

    /// Starts the tray app with its windows.
    pub fn desktop(&self) -> Service {
        Service::start(self.command(&["--json"]))
    }

    /// The same with everything it logs, at TRACE, in a file.
    pub fn serve_logged(&self, approver: &str, log: &Path) -> Service {
        let mut command = self.command(&["--json", "serve", "--port", "0", "--approver", approver]);
        command.env("COUNTERSIGN_LOG", "trace").stderr(std::fs::File::create(log).expect("a log file"));
        Service::start(command)
    }
}

/// The program under test.
pub fn program() -> PathBuf {
    std::env::var_os("COUNTERSIGN_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_countersign")), PathBuf::from)
}

/// Makes the key file with a cost that suits tests; the program keeps the cost a file was made with.
fn cheap_keys(dir: &Path) {
    use countersign_vault::keys::{KeyStore as _, Secret, file};
    let cheapest = file::Cost { memory_kib: 8, passes: 1 };
    let store =
        file::FileStore::open_with_cost(dir, &Secret::copy_of(PASSPHRASE.as_bytes()), cheapest).expect("a key file");
    store.set("made-by-a-test", &Secret::copy_of(b"x")).expect("a key file");
}

#[cfg(unix)]
fn private(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
}

#[cfg(not(unix))]
fn private(_path: &Path, _mode: u32) {}

/// A running service. Killed when dropped.
pub struct Service {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// `http://127.0.0.1:PORT`
    pub url: String,
}

impl Service {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| json!({"event": "text", "text": line}));
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        let mut service = Self { child, stdin, lines, url: String::new() };
        let ready = service.event("ready");
        service.url = ready["http"].as_str().expect("an address").to_owned();
        service
    }

    /// The next event of this kind; others before it are skipped.
    pub fn event(&mut self, kind: &str) -> Value {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line["event"] == kind => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no {kind} event within {PATIENCE:?}"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended before a {kind} event: {:?}", self.child.wait())
                }
            }
        }
    }

    /// Answers a question: `y` or `n` and its id.
    pub fn answer(&mut self, yes: bool, id: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        writeln!(stdin, "{} {id}", if yes { "y" } else { "n" })
            .and_then(|()| stdin.flush())
            .expect("the program reads");
    }

    /// Answers the next question and returns it.
    pub fn answer_next(&mut self, yes: bool) -> Value {
        let question = self.event("question");
        self.answer(yes, question["payment_id"].as_str().expect("an id"));
        question
    }

    /// Closes stdin: nobody answers any more.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("a process to kill");
        self.child.wait().expect("an ended process");
    }

    /// Asks it to end, and waits.
    pub fn stop(mut self) {
        #[cfg(unix)]
        {
            let pid = rustix::process::Pid::from_child(&self.child);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a process to stop");
        }
        #[cfg(not(unix))]
        self.child.kill().expect("a process to stop");
        let status = self.child.wait().expect("an ended process");
        assert!(status.success() || cfg!(not(unix)), "the program ended with {status}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
