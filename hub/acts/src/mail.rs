//! Mail that people send themselves: to families, and to their own address to try the way out.

use crate::notify::post::{Post, Undelivered};
use config::Smtp;
use rules::error::Error;
use store::mail::{self, MailLetter, MailWaiting};
use store::reader::Reader;
use store::{Db, Tx, class, student};
use wire::{StudentId, Wall};

/// Addresses of one message at most.
const MOST: usize = 500;
/// Bytes of a subject, and of a text.
const SUBJECT: usize = 200;
const TEXT: usize = 20_000;

/// Where mail is written; cheap to clone.
#[derive(Clone)]
pub struct Mailing {
    /// The database.
    pub db: Db,
    /// The mail server, if mail leaves at all.
    pub smtp: Option<Smtp>,
}

/// A message to the families of a class, or of some students.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Own id or code: everybody on its roster.
    pub class: Option<String>,
    /// Own ids or numbers.
    pub students: Vec<String>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Queued {
    /// Mails that wait to be sent.
    pub mails: usize,
    /// Students without an address.
    pub without_address: usize,
}

/// A mail that tries the way out.
#[derive(Clone, Debug)]
pub struct Trial {
    /// To whom.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

impl NewMessage {
    /// With its subject as it is sent.
    fn checked(self) -> Result<Self, Error> {
        let subject = self.subject.trim().to_owned();
        if subject.is_empty() || subject.len() > SUBJECT || subject.chars().any(char::is_control) {
            let say = format!("write one line of at most {SUBJECT} bytes");
            return Err(Error::field("subject", say));
        }
        if self.body.trim().is_empty() || self.body.len() > TEXT {
            return Err(Error::field("body", format!("write a text of at most {TEXT} bytes")));
        }
        Ok(Self { subject, ..self })
    }

    /// Whose families are told, each once.
    fn people(&self, tx: &Tx<'_>, reader: Reader) -> Result<Vec<StudentId>, Error> {
        let mut people = Vec::new();
        if let Some(name) = &self.class {
            let class = class::find(tx, reader, name)?;
            people.extend(class::roster(tx, class.id)?);
        }
        for name in &self.students {
            people.push(student::find_for(tx, reader, name)?.id);
        }
        people.sort_unstable();
        people.dedup();
        match people.len() {
            1..=MOST => Ok(people),
            _ => {
                let say = format!("student_ids, class_id: name 1 to {MOST} students");
                Err(Error::Invalid(say))
            }
        }
    }

    fn letter(&self, student: StudentId, recipient: String, due: Wall) -> MailLetter {
        MailLetter {
            kind: "custom",
            about: None,
            student: Some(student),
            recipient,
            subject: self.subject.clone(),
            body: self.body.clone(),
            due,
        }
    }
}

impl Mailing {
    /// Writes to families: a mail each, which leave one after the other.
    ///
    /// # Errors
    /// `Conflict` where no mail leaves; `Field` or `Invalid` for what cannot be sent; `NotFound`
    /// for a class or a student that is not theirs.
    pub async fn write(
        &self,
        reader: Reader,
        message: NewMessage,
        now: Wall,
    ) -> Result<Queued, Error> {
        if self.smtp.is_none() {
            let say = "no mail server is set: an admin sets smtp.host first";
            return Err(Error::Conflict(say.into()));
        }
        let message = message.checked()?;
        let work = move |tx: &Tx<'_>| {
            let mut queued = Queued::default();
            let actor = reader.actor.user.to_string();
            for id in message.people(tx, reader)? {
                let found = student::get(tx, id)?.and_then(|person| person.profile.details.email);
                let Some(recipient) = found.filter(|address| !address.is_empty()) else {
                    queued.without_address += 1;
                    continue;
                };
                mail::add(tx, &message.letter(id, recipient, now), &actor, now)?;
                queued.mails += 1;
            }
            Ok(queued)
        };
        self.db.write(work).await
    }

    /// Sends a mail at once.
    ///
    /// # Errors
    /// `Conflict` where no mail leaves, `Unavailable` with what the mail server answered.
    pub async fn try_out(&self, trial: Trial, now: Wall) -> Result<(), Error> {
        let none =
            || Error::Conflict("no mail server is set: set smtp.host in the hub's file".into());
        let smtp = self.smtp.as_ref().ok_or_else(none)?;
        let Trial { recipient, subject, body } = trial;
        let mail = MailWaiting { id: wire::id::v7(now), recipient, subject, body, attempts: 0 };
        match Post::new(smtp)?.send(&mail, now).await {
            Ok(()) => Ok(()),
            Err(Undelivered::Later(why) | Undelivered::Never(why)) => Err(Error::Unavailable(why)),
        }
    }
}
