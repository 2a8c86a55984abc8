//! `orangery mail preview`: every e-mail in every language, with sample data, as files to look
//! at. The samples serve the letters' own tests and whoever shows a gallery.

use crate::terminal;
use anyhow::{Context, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use domain::letter::Letter;
use engagement_email::Sender;
use engagement_email::mailer::RenderedLetter;
use engagement_email::render::Language;
use local_shop::sample_cases::{SAMPLE_CASES, SampleNames};
use local_shop::sample_letters::{sample, sample_of};
use local_shop::shop::shop_file;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Letters to look at.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Writes every e-mail as HTML, text and .eml file, with a page that leads to them.
    Preview(PreviewArgs),
}

/// What is to be written, and where.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// The folder; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// This e-mail alone: welcome, payment_failed, …
    #[arg(long, value_parser = letter)]
    pub letter: Option<Letter>,
    /// This language alone: en, fr.
    #[arg(long, value_parser = language)]
    pub language: Option<Language>,
    /// The shop's file, which says how they look; without it, as of a shop called Grove.
    #[arg(long, value_name = "FILE", env = "ORANGERY_SHOP")]
    pub shop: Option<PathBuf>,
}

impl MailCommand {
    /// Does it, and says what was written.
    ///
    /// # Errors
    /// When the folder can't be written, or a letter can't be rendered.
    pub fn run(&self) -> anyhow::Result<()> {
        let Self::Preview(preview) = self;
        let count = run(preview)?;
        let page = preview.out.join("index.html");
        writeln!(terminal::stdout(), "{count} e-mails: {}", page.display())?;
        Ok(())
    }
}

/// Writes them, and a page that leads to all.
///
/// # Errors
/// When the folder can't be written, or a letter can't be rendered.
pub fn run(preview: &PreviewArgs) -> anyhow::Result<usize> {
    std::fs::create_dir_all(&preview.out)
        .with_context(|| format!("the folder {} can't be made", preview.out.display()))?;
    let mut words = SampleNames::default();
    let sender = preview.shop.as_deref().map(shop_file).transpose();
    let sender = sender
        .map_err(|problem| anyhow!(problem))?
        .map(Sender::of_file);
    if let Some(sender) = &sender {
        words.shop.clone_from(&sender.shop);
    }
    let mut names = Vec::new();
    for case in SAMPLE_CASES {
        if preview.letter.is_some_and(|letter| letter != case.letter) {
            continue;
        }
        for language in Language::ALL {
            if preview.language.is_some_and(|only| only != language) {
                continue;
            }
            let mail = match &sender {
                Some(sender) => sample_of(case, language, &words, sender)?,
                None => sample(case, language, &words)?,
            };
            let name = format!("{}.{}", case.name, language.as_str());
            write(&preview.out, &format!("{name}.html"), &mail.html)?;
            write(&preview.out, &format!("{name}.txt"), &mail.text)?;
            write(&preview.out, &format!("{name}.eml"), &eml(&mail)?)?;
            names.push((name, mail.subject));
        }
    }
    write(&preview.out, "index.html", &index(&names))?;
    Ok(names.len())
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))
}

/// The mail as mail programs open it: two bodies, the better one last.
fn eml(mail: &RenderedLetter) -> anyhow::Result<String> {
    let mut eml = String::new();
    let mut header = |name: &str, value: &str| write!(eml, "{name}: {value}\r\n");
    header("From", &mail.from)?;
    header("To", &mail.to)?;
    if let Some(reply_to) = &mail.reply_to {
        header("Reply-To", reply_to)?;
    }
    header("Subject", &encoded(&mail.subject))?;
    header("Date", "Mon, 12 Jan 2026 09:00:00 +0000")?;
    for (name, value) in &mail.headers {
        header(name, value)?;
    }
    header("MIME-Version", "1.0")?;
    header(
        "Content-Type",
        &format!("multipart/alternative; boundary=\"{BOUNDARY}\""),
    )?;
    for (kind, body) in [("plain", &mail.text), ("html", &mail.html)] {
        write!(
            eml,
            "\r\n--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n"
        )?;
        for line in STANDARD.encode(body).as_bytes().chunks(76) {
            write!(eml, "{}\r\n", String::from_utf8_lossy(line))?;
        }
    }
    write!(eml, "--{BOUNDARY}--\r\n")?;
    Ok(eml)
}

/// A header's value by RFC 2047: words of at most 75 signs, each whole in itself.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for c in text.chars() {
        let full = words.last().is_some_and(|word| word.len() >= 39);
        if full {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words: Vec<_> = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)))
        .collect();
    words.join("\r\n ")
}

fn index(names: &[(String, String)]) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>E-mails</title>\n\
         <style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
         padding:0 1rem}td{padding:.25rem 1rem .25rem 0}</style>\n<h1>E-mails</h1>\n<table>\n",
    );
    for (name, subject) in names {
        let subject = escaped(subject);
        page.push_str(&format!(
            "<tr><td><a href=\"{name}.html\">{name}</a><td>{subject}\
             <td><a href=\"{name}.txt\">text</a><td><a href=\"{name}.eml\">mail</a>\n"
        ));
    }
    page.push_str("</table>\n");
    page
}

fn letter(name: &str) -> Result<Letter, String> {
    let names = || Letter::ALL.map(Letter::as_str).join(", ");
    Letter::parse(name).ok_or_else(|| format!("there are: {}", names()))
}

fn language(name: &str) -> Result<Language, String> {
    let names = || Language::ALL.map(Language::as_str).join(", ");
    Language::parse(name).ok_or_else(|| format!("there are: {}", names()))
}

const BOUNDARY: &str = "orangery-letter-preview";
