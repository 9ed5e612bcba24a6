//! Starts Alipay's own program for agents that pay, `alipay-bot`, once for each purchase.
//!
//! It is started with words, never through a shell, and knows of one purchase only what the seller wrote, the address and the
//! request. That it was started is on the disk before it is: whatever happens then, no purchase is handed over again.

use anyhow::Context as _;
use async_trait::async_trait;
use countersign_core::{
    payment::{Digest, PaymentId},
    rail::Credential,
    text::clean,
};
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

use crate::program::Program;

/// Most that is read of what it prints, in bytes.
const MOST: u64 = 1024 * 1024;
/// Longest body it is given, in bytes: it stands among the program's words.
const LONGEST: usize = 64 * 1024;
/// How long it may take: nearly a minute is usual.
const PATIENCE: Duration = Duration::from_secs(180);
/// Headers that may be handed over: what stands among a program's words, others on this machine can read.
const PLAIN: [&str; 3] = ["accept", "accept-language", "content-type"];

/// The program, and where it is told what to buy.
#[derive(Debug)]
pub struct AlipayBot {
    program: PathBuf,
    folder: PathBuf,
}

impl AlipayBot {
    /// The program of this name or at this place; its notes go into a folder of the data directory.
    pub fn new(program: PathBuf, data: &Path) -> Self {
        Self { program, folder: data.join("handed") }
    }

    fn is_there(&self) -> bool {
        if self.program.components().count() > 1 {
            return self.program.is_file();
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(&self.program).is_file())
    }

    /// Notes that this purchase is handed over, in the file that the program reads; false if it was before.
    fn note(&self, name: &str, needed: &str) -> anyhow::Result<bool> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&self.folder).context("its folder cannot be made")?;
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = match options.write(true).create_new(true).open(self.folder.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        file.write_all(needed.as_bytes())?;
        file.sync_all()?;
        if cfg!(unix) {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(true)
    }

    /// Runs it to its end.
    async fn run(&self, words: Vec<String>) -> anyhow::Result<String> {
        let mut all = vec![self.program.display().to_string()];
        all.extend(words);
        let (program, (says, hears)) = Program::start(&all, Some(&self.folder))?;
        drop(hears);
        let mut printed = Vec::new();
        let read = timeout(PATIENCE, says.take(MOST).read_to_end(&mut printed)).await;
        drop(program);
        read.context("it took too long")??;
        String::from_utf8(printed).context("it printed something that is no text")
    }

    async fn told(&self, words: Vec<String>, request: &Outgoing<'_>) -> Result<Answer, String> {
        let printed = self.run(words).await.map_err(|error| format!("alipay-bot: {error:#}"))?;
        let paid = Paid::read(&printed);
        if let Paid::Done { number, .. } = &paid
            && !is_shake(number)
            // The seller is told that the goods arrived; if that fails, nothing of ours changes.
            && let Err(error) = self.run(vec!["402-buyer-fulfillment-ack".into(), "-t".into(), number.clone()]).await
        {
            tracing::warn!(%error, "alipay-bot could not confirm a delivery");
        }
        let (status, headers, body) = paid.told(&printed);
        Ok(Answer::told(status, headers, body.into_bytes(), request.url.clone()))
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
        payment: &PaymentId,
        credential: &Credential,
        request: &Outgoing<'_>,
        reason: Option<&str>,
    ) -> Result<Answer, String> {
        let needed = credential.headers.get(HEADER).ok_or("there is nothing to hand over")?;
        let name = format!("402_needed_{payment}.txt");
        let fresh = match self.note(&name, needed) {
            Ok(fresh) => fresh,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "a purchase is not handed over, because that cannot be noted"
                );
                let (status, headers) = Paid::never();
                return Ok(Answer::told(status, headers, Vec::new(), request.url.clone()));
            }
        };
        if !fresh {
            return Err("it was handed over before, and nobody heard what became of it".to_owned());
        }
        let session = session(payment);
        let about = format!("原始请求：{}", reason.map_or_else(|| request.url.to_string(), clean));
        let words = ["402-buyer-pay", "--session-id", &session, "-f", &name, "--intent-summary", &about];
        self.told(with_request(&words, request), request).await
    }

    async fn ask(&self, number: &str, request: &Outgoing<'_>) -> Result<Answer, String> {
        let kind = if is_shake(number) { "--out-shake-no" } else { "-t" };
        self.told(with_request(&["402-query-payment-status", kind, number], request), request).await
    }
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

/// A name for one run, of the form the program wants.
fn session(payment: &PaymentId) -> String {
    let hex = Digest::of(&[b"alipay-bot", payment.as_str().as_bytes()]).to_string();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
