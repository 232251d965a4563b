//! Hands mail over to the mail server.

use config::{Smtp, SmtpTls};
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use rules::error::{Doing, Error};
use std::time::{Duration, UNIX_EPOCH};
use store::mail::MailWaiting;
use wire::Wall;

/// How long the mail server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The way to the mail server.
pub struct Post {
    from: Mailbox,
    way: AsyncSmtpTransport<Tokio1Executor>,
}

/// Why a mail did not leave.
#[derive(Debug)]
pub enum Undelivered {
    /// Another try may help.
    Later(String),
    /// It never will.
    Never(String),
}

impl Post {
    /// The way that `smtp` says.
    ///
    /// # Errors
    /// `Invalid` when the sender's address is none.
    pub fn new(smtp: &Smtp) -> Result<Self, Error> {
        type Way = AsyncSmtpTransport<Tokio1Executor>;
        let doing = "setting up the way to the mail server";
        let from = smtp.from.parse();
        let from = from.map_err(|_| Error::Invalid("smtp.from: this is no address".into()))?;
        let way = match smtp.tls {
            SmtpTls::Implicit => Way::relay(&smtp.host).doing(doing)?,
            SmtpTls::Start => Way::starttls_relay(&smtp.host).doing(doing)?,
            SmtpTls::None => Way::builder_dangerous(&smtp.host),
        };
        let way = way.port(smtp.port).timeout(Some(PATIENCE));
        let way = match (&smtp.user, &smtp.password) {
            (Some(user), Some(password)) => {
                way.credentials(Credentials::new(user.clone(), password.expose().to_owned()))
            }
            _ => way,
        };
        Ok(Self { from, way: way.build() })
    }

    /// Hands one mail over.
    ///
    /// # Errors
    /// See [`Undelivered`]; the sentences hold no address.
    pub async fn send(&self, mail: &MailWaiting, now: Wall) -> Result<(), Undelivered> {
        let to = mail.recipient.parse::<Mailbox>();
        let to = to.map_err(|_| Undelivered::Never("the address is none".into()))?;
        let domain = self.from.email.domain();
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .date(date)
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone());
        let message = message.map_err(|error| Undelivered::Never(error.to_string()))?;
        match self.way.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => {
                Err(Undelivered::Never("the mail server refuses it for good".into()))
            }
            Err(error) => Err(Undelivered::Later(reason(&error))),
        }
    }
}

fn reason(error: &lettre::transport::smtp::Error) -> String {
    let said = if error.is_timeout() {
        "the mail server took too long"
    } else if error.is_transient() {
        "the mail server asks to try later"
    } else if error.is_response() {
        "the mail server answers what cannot be understood"
    } else {
        "the mail server cannot be reached"
    };
    said.to_owned()
}
