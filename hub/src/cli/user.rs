//! `user …`: accounts of people who sign in.

use super::hub::{Hub, actor, now};
use crate::auth::{Passwords, Role, password, secret};
use crate::store::account::{self, New};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::io::{Read as _, Write};
use std::path::Path;

/// Accounts of people who sign in: add.
#[derive(Debug, Args)]
pub struct Users {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add an account. Without --password-stdin a password is made up and printed once.
    Add(Add),
}

#[derive(Debug, Args)]
struct Add {
    /// E-mail address; it is what they sign in with.
    email: String,
    /// admin or teacher.
    #[arg(long)]
    role: Role,
    /// What pages call them.
    #[arg(long)]
    name: Option<String>,
    /// Read the password from standard input, without its line end.
    #[arg(long)]
    password_stdin: bool,
}

impl Users {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let Verb::Add(add) = self.verb;
        let hub = Hub::open(data)?;
        let made_up = secret();
        let given = if add.password_stdin { Some(typed()?) } else { None };
        let word = given.clone().unwrap_or_else(|| made_up.clone());
        password::check(&word, &add.email)?;
        let hashed = Passwords::default().hash(word).await?;
        let Add { email, role, name, .. } = add;
        let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or("").to_owned());
        let new = New { email, name, role, student: None, password: Some(hashed) };
        let made = hub.db.write(move |tx| account::add(tx, &new, &actor(), now())).await?;
        writeln!(out, "{} may sign in as {}.", made.email, made.role)?;
        if given.is_none() {
            writeln!(out, "The password, printed only now: {made_up}")?;
        }
        Ok(())
    }
}

fn typed() -> anyhow::Result<String> {
    let mut text = String::new();
    let most = password::LONGEST as u64 + 2;
    std::io::stdin().take(most).read_to_string(&mut text).context("reading the password")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
