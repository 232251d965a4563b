//! `user …`: accounts of people who sign in.

use super::hub::{Hub, actor, now};
use acts::accounts::{AccountChanges, AccountName, Accounts, Asker};
use acts::auth::{Passwords, secret};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use rules::auth::Role;
use std::io::{Read as _, Write};
use std::path::Path;
use store::accounts::{self, AccountFilter, AccountPerson};
use uuid::Uuid;

/// Accounts read at once for a list.
const PAGE: u32 = 500;

/// Accounts of people who sign in: add, list, change.
#[derive(Debug, Args)]
pub struct Users {
    #[command(subcommand)]
    verb: UserVerb,
}

#[derive(Debug, Subcommand)]
enum UserVerb {
    /// Add an account. Without --password-stdin a password is made up and printed once.
    Add(UserAdd),
    /// List accounts: address, role, whether they may sign in, second factor, name.
    List {
        /// Only of this role.
        #[arg(long)]
        role: Option<Role>,
    },
    /// Give an account another role; every sign-in of it ends.
    Role {
        /// E-mail address, own id or teacher's number.
        who: String,
        /// admin, teacher or student.
        role: Role,
    },
    /// Set a new password; every sign-in ends. Without --password-stdin one is made up.
    Password {
        /// E-mail address, own id or teacher's number.
        who: String,
        /// Read the password from standard input, without its line end.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Close an account: nobody signs in by it, and every sign-in ends.
    Disable {
        /// E-mail address, own id or teacher's number.
        who: String,
    },
    /// Open a closed account again, and take a lost second factor away if asked to.
    Unlock {
        /// E-mail address, own id or teacher's number.
        who: String,
        /// Take the second factor away too: the phone is lost.
        #[arg(long)]
        second_factor: bool,
    },
}

#[derive(Debug, Args)]
struct UserAdd {
    /// E-mail address; it is what they sign in with.
    email: String,
    /// admin, teacher or student.
    #[arg(long)]
    role: Role,
    /// What pages call them.
    #[arg(long)]
    name: Option<String>,
    /// The school's number of a teacher.
    #[arg(long)]
    teacher_id: Option<String>,
    /// Own id or number of the student the account belongs to.
    #[arg(long)]
    student: Option<String>,
    /// Read the password from standard input, without its line end.
    #[arg(long)]
    password_stdin: bool,
}

impl Users {
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
        let hub = Hub::open(data)?;
        let usual = AccountChanges::default();
        match self.verb {
            UserVerb::Add(new) => add(&hub, new, out).await,
            UserVerb::List { role } => list(&hub, role, out).await,
            UserVerb::Role { who, role } => told(&change_role(&hub, who, role).await?, out),
            UserVerb::Password { who, password_stdin } => {
                set_password(&hub, who, password_stdin, out).await
            }
            UserVerb::Disable { who } => {
                let person =
                    change(&hub, who, AccountChanges { is_active: Some(false), ..usual }).await?;
                told(&person, out)
            }
            UserVerb::Unlock { who, second_factor } => unlock(&hub, who, second_factor, out).await,
        }
    }
}

async fn add(hub: &Hub, new: UserAdd, out: &mut dyn Write) -> anyhow::Result<()> {
    let (word, made_up) = password_for(new.password_stdin)?;
    let UserAdd { email, role, name, teacher_id, student, .. } = new;
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or("").to_owned());
    let new = AccountChanges {
        email: Some(email),
        name: Some(name),
        password: Some(word),
        teacher_id,
        student,
        ..AccountChanges::default()
    };
    told(&accounts(hub).add(new, role, actor(), now()).await?, out)?;
    printed(made_up, out)
}

fn accounts(hub: &Hub) -> Accounts {
    Accounts { db: hub.db.clone(), passwords: Passwords::default() }
}

async fn list(hub: &Hub, role: Option<Role>, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut after: Option<Uuid> = None;
    loop {
        let filter = AccountFilter { roles: role.into_iter().collect(), is_active: None };
        let page = hub.db.read(move |tx| accounts::list(tx, &filter, after, PAGE)).await?;
        for person in &page {
            let state = if person.is_active { "active" } else { "closed" };
            let factor = if person.second_factor { "2fa" } else { "-" };
            let account = &person.account;
            let role = person.account.role.as_str();
            writeln!(out, "{}\t{role}\t{state}\t{factor}\t{}", account.email, account.name)?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = Some(last.account.id),
            _ => return Ok(()),
        }
    }
}

async fn change(hub: &Hub, name: String, to: AccountChanges) -> anyhow::Result<AccountPerson> {
    let which = AccountName { name, among: &Role::ALL };
    Ok(accounts(hub).change(which, to, Asker::Other(actor()), now()).await?)
}

/// Another role. A link that it cannot have is named again, so that it is refused and not cut.
async fn change_role(hub: &Hub, who: String, role: Role) -> anyhow::Result<AccountPerson> {
    let key = who.clone();
    let old = hub.db.read(move |tx| accounts::find(tx, &key)).await?;
    let to = AccountChanges {
        role: Some(role),
        student: old.account.student.map(|id| id.to_string()),
        teacher_id: old.teacher_id,
        ..AccountChanges::default()
    };
    change(hub, who, to).await
}

async fn set_password(
    hub: &Hub,
    who: String,
    stdin: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (word, made_up) = password_for(stdin)?;
    let to = AccountChanges { password: Some(word), ..AccountChanges::default() };
    let person = change(hub, who, to).await?;
    writeln!(out, "{} has a new password.", person.account.email)?;
    printed(made_up, out)
}

async fn unlock(
    hub: &Hub,
    who: String,
    second_factor: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let key = who.clone();
    let had = hub.db.read(move |tx| accounts::find(tx, &key)).await?.second_factor;
    let gone = second_factor.then_some(false);
    let to = AccountChanges { is_active: Some(true), second_factor: gone, ..Default::default() };
    let person = change(hub, who, to).await?;
    if second_factor {
        let say = if had { "The second factor is gone." } else { "There was no second factor." };
        writeln!(out, "{say}")?;
    }
    told(&person, out)?;
    writeln!(out, "A wait after wrong passwords ends by itself, after a minute at most.")?;
    Ok(())
}

fn told(person: &AccountPerson, out: &mut dyn Write) -> anyhow::Result<()> {
    let email = &person.account.email;
    let role = person.account.role;
    if person.is_active {
        writeln!(out, "{email} may sign in as {role}.")?;
    } else {
        writeln!(out, "{email} may not sign in any more.")?;
    }
    Ok(())
}

/// The password to set, and the same again if it was made up.
fn password_for(stdin: bool) -> anyhow::Result<(String, Option<String>)> {
    if stdin {
        return Ok((typed()?, None));
    }
    let made_up = secret();
    Ok((made_up.clone(), Some(made_up)))
}

fn printed(made_up: Option<String>, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Some(word) = made_up {
        writeln!(out, "The password, printed only now: {word}")?;
    }
    Ok(())
}

fn typed() -> anyhow::Result<String> {
    let mut text = String::new();
    let most = rules::auth::password::LONGEST as u64 + 2;
    std::io::stdin().take(most).read_to_string(&mut text).context("reading the password")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::Parser as _;
    use std::path::Path;

    /// What a command prints, or why it refuses.
    fn hub(data: &Path, typed: &[&str]) -> Result<String, String> {
        let args = ["rollcall-hub", "--data", data.to_str().unwrap()];
        let mut out = Vec::new();
        let cli = Cli::try_parse_from(args.iter().chain(typed)).map_err(|e| e.to_string())?;
        cli.run(&mut out).map_err(|error| format!("{error:#}"))?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn an_account_lives_on_the_command_line() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("hub");
        let user = |typed: &[&str]| hub(&data, &[&["user"], typed].concat());
        hub(&data, &["init"]).unwrap();
        let made = user(&["add", "ada@school.test", "--role", "admin", "--name", "Ada"]).unwrap();
        assert!(made.contains("may sign in as admin") && made.contains("printed only now"));
        user(&["add", "bob@school.test", "--role", "teacher", "--teacher-id", "T-1"]).unwrap();
        let list = user(&["list"]).unwrap();
        assert_eq!(list.lines().count(), 2, "{list}");
        assert!(list.contains("ada@school.test\tadmin\tactive\t-\tAda"), "{list}");
        assert_eq!(user(&["list", "--role", "teacher"]).unwrap().lines().count(), 1);
        assert!(user(&["role", "ada@school.test", "teacher"]).unwrap_err().contains("only admin"));
        assert!(user(&["role", "T-1", "admin"]).unwrap().contains("as admin"));
        assert!(user(&["password", "T-1"]).unwrap().contains("printed only now"));
        assert!(user(&["disable", "T-1"]).unwrap().contains("may not sign in"));
        assert!(user(&["list"]).unwrap().contains("bob@school.test\tadmin\tclosed"));
        assert!(user(&["unlock", "T-1", "--second-factor"]).unwrap().contains("may sign in"));
        assert!(user(&["disable", "nobody"]).unwrap_err().contains("nobody"));
        assert!(user(&["add", "x", "--role", "admin"]).unwrap_err().contains("email"));
        assert!(user(&["add", "x@y.z", "--role", "king"]).unwrap_err().contains("king"));
    }

    #[test]
    fn a_role_that_would_cut_an_account_from_its_student_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("hub");
        let user = |typed: &[&str]| hub(&data, &[&["user"], typed].concat());
        hub(&data, &["init"]).unwrap();
        hub(&data, &["student", "add", "STU1", "Ada", "King"]).unwrap();
        user(&["add", "ada@school.test", "--role", "student", "--student", "STU1"]).unwrap();
        user(&["add", "bob@school.test", "--role", "teacher", "--teacher-id", "T-1"]).unwrap();
        let kept = user(&["role", "ada@school.test", "teacher"]).unwrap_err();
        assert!(kept.contains("belongs to a student"), "{kept}");
        assert!(user(&["role", "T-1", "student"]).unwrap_err().contains("a student has none"));
    }

    #[test]
    fn a_password_rescues_an_account_whose_address_is_odd() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("hub");
        hub(&data, &["init"]).unwrap();
        let path = data.join("hub.db");
        let db = store::Db::open(&path).unwrap();
        let odd = store::account::NewAccount {
            email: "admin@".into(),
            name: String::new(),
            role: rules::auth::Role::Admin,
            student: None,
            password: None,
        };
        let add = move |tx: &store::Tx<'_>| store::account::add(tx, &odd, "t", wire::Wall(0));
        tokio::runtime::Runtime::new().unwrap().block_on(db.write(add)).unwrap();
        drop(db);
        let told = hub(&data, &["user", "password", "admin@"]).unwrap();
        assert!(told.contains("has a new password"), "{told}");
    }
}
