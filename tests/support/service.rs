//! The real program, started on a throw-away data directory.

use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

/// The longest any single step may take on a slow machine; reached only when something is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// What the key file of every [`Place`] is encrypted with.
pub const PASSPHRASE: &str = "only-for-tests-5b1e7cd09a4f";

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

    /// Runs a verb with `--json`: its exit status, and what it printed.
    pub fn exit(&self, args: &[&str]) -> (i32, Value) {
        let mut command = self.command(args);
        ended(&command.arg("--json").output().expect("the program runs"))
    }

    /// Starts a verb with `--json` that something else has to answer before it ends.
    pub fn begin(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.arg("--json").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
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
        self.command_of(&program(), args)
    }

    fn command_of(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
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
        self.start(self.command(&["--json", "serve", "--port", port, "--approver", approver]))
    }

    /// The same with environment variables.
    pub fn serve_with(&self, approver: &str, environment: &[(&str, &str)]) -> Service {
        let mut command = self.command(&["--json", "serve", "--port", "0", "--approver", approver]);
        command.envs(environment.iter().copied());
        self.start(command)
    }

    /// Starts the tray app with its windows: the program under test, or the one a measurement names beside it.
    pub fn desktop(&self) -> Service {
        self.start(self.command_of(&with_windows(), &["--json"]))
    }

    /// The same with the main window open on a page.
    pub fn desktop_on(&self, page: &str) -> Service {
        self.start(self.command_of(&with_windows(), &["--json", "--show", page]))
    }

    /// The same with environment variables.
    pub fn desktop_with(&self, page: &str, environment: &[(&str, &str)]) -> Service {
        let mut command = self.command(&["--json", "--show", page]);
        command.envs(environment.iter().copied());
        self.start(command)
    }

    /// Starts it with its error output in a file, which is shown if the test fails.
    fn start(&self, mut command: Command) -> Service {
        let path = self.path().join("stderr-of-the-service");
        let log = File::options().create(true).append(true).read(true).open(&path).expect("a log file");
        command.stderr(log.try_clone().expect("a second handle"));
        Service::start_with(command, Some(log))
    }

    /// The same with everything it logs, at TRACE, in a file.
    pub fn serve_logged(&self, approver: &str, log: &Path) -> Service {
        let mut command = self.command(&["--json", "serve", "--port", "0", "--approver", approver]);
        command.env("COUNTERSIGN_LOG", "trace").stderr(File::create(log).expect("a log file"));
        Service::start(command)
    }
}

/// Exit status and the JSON on stdout, null where there is none.
pub fn ended(output: &Output) -> (i32, Value) {
    let out = String::from_utf8_lossy(&output.stdout);
    let status = output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"));
    (status, serde_json::from_str(out.trim()).unwrap_or(Value::Null))
}

/// The program that has windows.
fn with_windows() -> PathBuf {
    std::env::var_os("COUNTERSIGN_DESKTOP_BIN").map_or_else(program, PathBuf::from)
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
    earlier: Vec<Value>,
    log: Option<File>,
    /// `http://127.0.0.1:PORT`; empty if the port is closed.
    pub url: String,
}

impl Service {
    /// Starts this command and waits until it accepts connections.
    pub fn start(command: Command) -> Self {
        Self::start_with(command, None)
    }

    /// The same; `log` is what it writes its errors to.
    fn start_with(mut command: Command, log: Option<File>) -> Self {
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
        let mut service = Self { child, stdin, lines, earlier: Vec::new(), log, url: String::new() };
        let ready = loop {
            let line = service.line("ready");
            if line["event"] == "ready" {
                break line;
            }
            service.earlier.push(line);
        };
        service.url = ready["http"].as_str().unwrap_or_default().to_owned();
        service
    }

    /// What it printed before it accepted connections.
    pub fn before_ready(&self) -> &[Value] {
        &self.earlier
    }

    /// The next event of this kind; others before it are skipped.
    pub fn event(&mut self, kind: &str) -> Value {
        loop {
            let line = self.line(kind);
            if line["event"] == kind {
                return line;
            }
        }
    }

    /// The next line, where one of this kind is expected some time.
    fn line(&mut self, kind: &str) -> Value {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("no {kind} event within {PATIENCE:?}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the program ended before a {kind} event: {:?}", self.child.wait())
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

    /// Answers every question with yes until the program ends; its events are gone for everybody else.
    pub fn says_yes_to_everything(&mut self) {
        let mut stdin = self.stdin.take().expect("stdin is open");
        let lines = std::mem::replace(&mut self.lines, channel().1);
        std::thread::spawn(move || {
            for line in lines {
                let id = match line["event"].as_str() {
                    Some("question") => line["payment_id"].as_str(),
                    Some("change") => line["change_id"].as_str(),
                    _ => None,
                };
                let Some(id) = id else { continue };
                if writeln!(stdin, "y {id}").and_then(|()| stdin.flush()).is_err() {
                    break;
                }
            }
        });
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
        let mut said = String::new();
        if let Some(log) = self.log.as_mut().filter(|_| std::thread::panicking())
            && log.rewind().and_then(|()| log.read_to_string(&mut said)).is_ok()
        {
            eprintln!("the service said:\n{said}");
        }
    }
}
