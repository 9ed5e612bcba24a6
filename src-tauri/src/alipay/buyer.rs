//! Starts Alipay's own program for agents that pay, `alipay-bot`, once for each purchase.
//!
//! It is started with words, never through a shell, and knows of one purchase only what the seller wrote, the address and the
//! request. That it was started is on the disk before it is: whatever happens then, no purchase is handed over again.

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use countersign_core::{rail::Credential, signable::handed::Handed};
use countersign_desk::{
    buyer::Buyer,
    wire::{Answer, Outgoing},
};
use countersign_rails::alipay::{HEADER, Paid, is_shake};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, time::timeout};

use crate::program::{NotStarted, Program};

/// Most that is read of what it prints, in bytes.
const MOST: usize = 1024 * 1024;
/// Longest body it is given, in bytes: it stands among the program's words.
const LONGEST: usize = 64 * 1024;
/// How long it may take: nearly a minute is usual.
const PATIENCE: Duration = Duration::from_secs(180);
/// Headers that may be handed over: what stands among a program's words, others on this machine can read.
const PLAIN: [&str; 3] = ["accept", "accept-language", "content-type"];

/// The program, and where it is told what to buy.
#[derive(Debug, Clone)]
pub struct AlipayBot {
    program: PathBuf,
    data: PathBuf,
}

impl AlipayBot {
    /// The program of this name or at this place; its notes go into a folder of the data directory.
    pub fn new(program: &Path, data: &Path) -> Self {
        let place = if program.components().count() == 1 { None } else { std::path::absolute(program).ok() };
        let program = place.unwrap_or_else(|| program.to_owned());
        Self { program, data: data.to_owned() }
    }

    fn folder(&self) -> PathBuf {
        self.data.join("handed")
    }

    fn is_there(&self) -> bool {
        if self.program.components().count() > 1 {
            return can_be_run(&self.program);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| can_be_run(&folder.join(&self.program)))
    }

    /// Notes that this purchase is handed over, in the file that the program reads; false if it was before.
    fn note(&self, name: &str, needed: &str) -> anyhow::Result<bool> {
        let folder = self.folder();
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&folder).context("its folder cannot be made")?;
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = match options.write(true).create_new(true).open(folder.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        file.write_all(needed.as_bytes())?;
        file.sync_all()?;
        if cfg!(unix) {
            File::open(&folder)?.sync_all()?;
            File::open(&self.data)?.sync_all()?;
        }
        Ok(true)
    }

    /// Runs it to its end, or for as long as it may take; what it printed, and whether that is all.
    async fn run(&self, words: Vec<String>) -> anyhow::Result<(String, bool)> {
        let mut all = vec![self.program.display().to_string()];
        all.extend(words);
        let (program, (says, hears)) = Program::start(&all, Some(&self.folder()))?;
        drop(hears);
        let mut printed = Vec::new();
        let read = timeout(PATIENCE, says.take(MOST as u64).read_to_end(&mut printed)).await;
        drop(program);
        let whole = matches!(read, Ok(Ok(length)) if length < MOST);
        if printed.is_empty() && !whole {
            bail!("it said nothing in {} seconds", PATIENCE.as_secs());
        }
        Ok((String::from_utf8(printed).context("it printed something that is no text")?, whole))
    }

    async fn told(&self, words: Vec<String>, request: &Outgoing<'_>) -> anyhow::Result<Answer> {
        let (printed, whole) = self.run(words).await?;
        let read = Paid::read(&printed);
        let paid = if whole { read } else { read.unfinished() };
        if let Paid::Done { number, .. } = &paid
            && !is_shake(number)
        {
            tokio::spawn(self.clone().acknowledge(number.clone()));
        }
        let (status, headers, body) = paid.told(&printed);
        Ok(Answer::told(status, headers, body.into_bytes(), request.url.clone()))
    }

    /// Has the seller told that the goods arrived. If that fails, nothing of ours changes.
    async fn acknowledge(self, number: String) {
        if let Err(error) = self.run(vec!["402-buyer-fulfillment-ack".to_owned(), "-t".to_owned(), number]).await {
            tracing::warn!(error = format!("{error:#}"), "alipay-bot could not confirm a delivery");
        }
    }
}

#[async_trait]
impl Buyer for AlipayBot {
    fn takes(&self, request: &Outgoing<'_>) -> Result<(), String> {
        if !self.is_there() {
            return Err(
                "the seller wants to be paid by Alipay's program alipay-bot, which is not on this computer: the \
                        person installs it (npm package @alipay/agent-payment) and opens its wallet"
                    .to_owned(),
            );
        }
        if !matches!(request.method, "GET" | "POST") {
            return Err(format!("alipay-bot makes no {} request", request.method));
        }
        if let Some((name, _)) = request.headers.iter().find(|(name, _)| !PLAIN.contains(&name.as_str())) {
            return Err(format!(
                "alipay-bot is not given the header {name}: others could read it; leave it out to buy"
            ));
        }
        let text = std::str::from_utf8(request.body).is_ok_and(|body| !body.contains('\0'));
        let fits = text && request.body.len() <= LONGEST && (request.method == "POST" || request.body.is_empty());
        if fits {
            Ok(())
        } else {
            Err("alipay-bot takes a body only as text of at most 64 KB, and in a POST".to_owned())
        }
    }

    async fn buy(
        &self,
        purchase: &Handed,
        credential: &Credential,
        request: &Outgoing<'_>,
        first: bool,
    ) -> Result<Answer, String> {
        let needed = credential.headers.get(HEADER).ok_or("there is nothing to hand over")?;
        let never = |error: &anyhow::Error| {
            tracing::error!(error = format!("{error:#}"), "a purchase is not handed over");
            let (status, headers, body) = Paid::never();
            Answer::told(status, headers, body.into_bytes(), request.url.clone())
        };
        let name = format!("402_needed_{}.txt", hex(purchase));
        match self.note(&name, needed) {
            Ok(true) => {}
            Ok(false) => return Err("it was handed over before, and nobody heard what became of it".to_owned()),
            Err(error) if first => return Ok(never(&error)),
            Err(error) => return Err(format!("it cannot be noted that it is handed over: {error:#}")),
        }
        let host = request.url.host_str().unwrap_or_default();
        let about = format!("原始请求：{} {host}", request.method);
        let words = ["402-buyer-pay", "--session-id", &session(purchase), "-f", &name, "--intent-summary", &about];
        match self.told(with_request(&words, request), request).await {
            Err(error) if error.is::<NotStarted>() => Ok(never(&error)),
            told => told.map_err(|error| format!("alipay-bot: {error:#}")),
        }
    }

    async fn ask(&self, number: &str, request: &Outgoing<'_>) -> Result<Answer, String> {
        let kind = if is_shake(number) { "--out-shake-no" } else { "-t" };
        let words = with_request(&["402-query-payment-status", kind, number], request);
        self.told(words, request).await.map_err(|error| format!("alipay-bot: {error:#}"))
    }
}

#[cfg(unix)]
fn can_be_run(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn can_be_run(path: &Path) -> bool {
    path.is_file()
}

fn with_request(words: &[&str], request: &Outgoing<'_>) -> Vec<String> {
    let mut all: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    all.extend(["-r".to_owned(), request.url.to_string(), "-m".to_owned(), request.method.to_owned()]);
    if !request.body.is_empty() {
        // One word with its value, so that a body that begins with a hyphen is none of the program's options.
        all.push(format!("--data={}", String::from_utf8_lossy(request.body)));
    }
    all.extend(request.headers.iter().map(|(name, value)| format!("--header={name}:{value}")));
    all
}

/// A purchase's own number, as text.
fn hex(purchase: &Handed) -> String {
    format!("{:x}", purchase.once())
}

/// A name for one run, of the form the program wants.
fn session(purchase: &Handed) -> String {
    let hex = hex(purchase);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::{money::Amount, payment::Digest, signable::handed::ALIPAY_BOT};

    fn purchase(number: &str) -> Handed {
        Handed {
            program: ALIPAY_BOT.into(),
            seller: "2088000000000001".into(),
            number: number.into(),
            amount: Amount::parse_atomic("150").unwrap(),
            valid_after: 0,
            valid_before: 300,
            price: Digest([1; 32]),
        }
    }

    async fn buys(bot: &AlipayBot, number: &str, first: bool) -> Result<u16, String> {
        let credential =
            Credential { headers: [(HEADER.to_owned(), "e30".to_owned())].into(), ..Credential::default() };
        let url = "https://weather.example/".parse().unwrap();
        let request = Outgoing { method: "GET", url: &url, headers: &[], body: b"" };
        bot.buy(&purchase(number), &credential, &request, first).await.map(|answer| answer.status)
    }

    #[tokio::test]
    async fn what_cannot_be_noted_or_started_was_handed_nothing_and_only_where_it_never_was_before() {
        let dir = tempfile::tempdir().unwrap();
        let bot = AlipayBot::new(Path::new("/nowhere/alipay-bot"), dir.path());
        assert_eq!(buys(&bot, "A1", true).await, Ok(402));
        assert!(buys(&bot, "A1", true).await.is_err(), "it is noted, whatever became of it");
        std::fs::remove_dir_all(dir.path().join("handed")).unwrap();
        std::fs::write(dir.path().join("handed"), "in the way").unwrap();
        assert_eq!(buys(&bot, "A2", true).await, Ok(402));
        assert!(buys(&bot, "A2", false).await.is_err(), "it may have been handed over");
    }
}
