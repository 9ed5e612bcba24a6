//! Where an upstream is: an address, or a program on this computer. Never a line for a shell.

use anyhow::{Context as _, bail};
use countersign_core::{
    approval::Said,
    origin::Origin,
    text::{clean, whole},
};
use serde::{Deserialize, Serialize};
use std::{env, fmt, path::PathBuf, str::FromStr};
use url::Url;

/// The person's name for an upstream: 1 to 40 of a-z, 0-9 and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        if Origin::of_program(text).is_err() || text == "localhost" {
            bail!("an upstream's name is 1 to 40 of a-z, 0-9 and '-'");
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Name {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Self> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// How an upstream is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// MCP over Streamable HTTP.
    Url(#[serde(with = "address")] Url),
    /// A program that speaks MCP on stdin and stdout: its absolute path, and its arguments.
    Command(Vec<String>),
}

impl Target {
    /// Reads what the person typed: one http(s) address, or a command with its arguments, found as a shell would find it.
    pub fn of_words(words: &[String]) -> anyhow::Result<Self> {
        match words {
            [one] if one.contains("://") => Ok(Self::Url(web(one)?)),
            [program, arguments @ ..] => {
                let path = find(program).with_context(|| format!("there is no program {}", clean(program)))?;
                let path = path.into_os_string().into_string().ok().context("the program's path is not text")?;
                Ok(Self::Command(std::iter::once(path).chain(arguments.iter().cloned()).collect()))
            }
            [] => bail!("say the upstream's address, or `--` and its command"),
        }
    }

    /// Who is paid: the website, or the program under its name.
    pub fn origin(&self, name: &Name) -> anyhow::Result<Origin> {
        Ok(match self {
            Self::Url(url) => Origin::of(url)?,
            Self::Command(_) => Origin::of_program(name.as_str())?,
        })
    }

    /// Where it is, for the ledger.
    pub fn place(&self, name: &Name) -> anyhow::Result<Url> {
        Ok(match self {
            Self::Url(url) => url.clone(),
            Self::Command(_) => Url::parse(&format!("program://{name}"))?,
        })
    }

    /// What the person agrees to, line by line: exactly this address, or exactly this command.
    pub fn lines(&self) -> Vec<Said> {
        match self {
            Self::Url(url) => vec![
                Said::Address { url: url.as_str().to_owned() },
                Said::Host { host: clean(url.host_str().unwrap_or_default()) },
            ],
            Self::Command(words) => {
                let program = words.first().map(|word| Said::Runs { program: whole(word) });
                let arguments = words.iter().skip(1).enumerate();
                let argument = |(n, word): (usize, &String)| Said::Argument {
                    n: n.saturating_add(1).to_string(),
                    text: whole(word),
                };
                program.into_iter().chain(arguments.map(argument)).chain([Said::Starts {}]).collect()
            }
        }
    }
}

fn web(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).with_context(|| format!("the address {}", clean(text)))?;
    if Origin::of(&url).is_err() || url.fragment().is_some() {
        bail!("an upstream's address is http or https, without user name and fragment");
    }
    Ok(url)
}

fn find(program: &str) -> Option<PathBuf> {
    let given = PathBuf::from(program);
    if given.components().count() > 1 {
        return std::path::absolute(given).ok().filter(|path| path.is_file());
    }
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(program));
    places.find(|path| path.is_file())
}

/// An address as text, checked again when it is read.
mod address {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use url::Url;

    pub fn serialize<S: Serializer>(url: &Url, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(url.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
        super::web(&String::deserialize(from)?).map_err(|error| D::Error::custom(format!("{error:#}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn texts(target: &Target) -> Vec<String> {
        target.lines().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_upstream_is_a_web_address_or_a_program_and_never_a_line_for_a_shell() {
        let web = Target::of_words(&words("https://tools.example/mcp?key=1")).unwrap();
        assert_eq!(texts(&web), ["Address: https://tools.example/mcp?key=1", "Host: tools.example"]);
        let name: Name = "weather".parse().unwrap();
        assert_eq!(web.origin(&name).unwrap().as_str(), "https://tools.example");
        for bad in ["ftp://tools.example/", "file:///bin/sh", "https://u:p@tools.example/", "https://t.example/#x", ""]
        {
            assert!(Target::of_words(&words(bad)).is_err(), "{bad}");
        }
        assert!(Target::of_words(&words("no-such-program-of-anybody; rm")).is_err());
        let program = std::env::current_exe().unwrap().display().to_string();
        let found = Target::of_words(&[program.clone(), "; rm -rf ~".to_owned()]).unwrap();
        assert_eq!(found, Target::Command(vec![program.clone(), "; rm -rf ~".to_owned()]));
        assert_eq!(texts(&found)[..2], [format!("Program: {program}"), "Argument 1: ; rm -rf ~".to_owned()]);
        assert_eq!(found.origin(&name).unwrap().as_str(), "program://weather");
    }

    #[test]
    fn names_are_short_plain_and_no_host() {
        for bad in ["", "localhost", "Weather", "a.b", "a/b", "a b", "a__b", "../x"] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
