//! The second factor: codes that change every half minute (RFC 6238), and recovery codes.
//!
//! A code of the step before or after counts too, for clocks that differ. Each step counts once:
//! whoever looks over a shoulder is too late.

use data_encoding::BASE32_NOPAD;
use wire::Wall;

/// Recovery codes given when the second factor is switched on.
pub const RECOVERY: usize = 10;
/// Bytes of a secret.
const SECRET: usize = 20;
/// Seconds of a step.
const STEP: u64 = 30;

/// A new secret.
#[must_use]
pub fn secret() -> Vec<u8> {
    rand::random::<[u8; SECRET]>().to_vec()
}

/// The secret as an authenticator app takes it by hand.
#[must_use]
pub fn typed(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// The `otpauth` URI that an authenticator app reads, for the account `email` of `host`.
#[must_use]
pub fn uri(secret: &[u8], email: &str, host: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let plain = |text: &str| {
        let text = text.replace(':', "_");
        utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
    };
    let issuer = plain(&format!("Rollcall {host}"));
    let account = plain(email);
    let secret = typed(secret);
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6\
         &period={STEP}"
    )
}

/// The time step that `code` is of, if it is good now and newer than `last`.
#[must_use]
pub fn step(secret: &[u8], code: &str, last: i64, now: Wall) -> Option<i64> {
    let builder = totp_rs::Builder::new().with_secret(secret.to_vec()).with_step_duration(STEP);
    let totp = builder.with_skew(1).build().ok()?;
    let at = u64::try_from(now.0 / 1000).ok()?;
    let step = i64::try_from(totp.check(code.trim(), at)?).ok()?;
    (step > last).then_some(step)
}

/// New recovery codes: 50 bits each, `ABCDE-FGHIJ`.
#[must_use]
pub fn recovery_codes() -> Vec<String> {
    let code = || {
        let text = BASE32_NOPAD.encode(&rand::random::<[u8; 7]>());
        format!("{}-{}", &text[..5], &text[5..10])
    };
    (0..RECOVERY).map(|_| code()).collect()
}

/// The digest under which a recovery code is kept, however it is typed. Nothing for a text that
/// cannot be one.
#[must_use]
pub fn recovery_digest(code: &str) -> Option<Vec<u8>> {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|c| c.to_ascii_uppercase()).collect();
    (plain.len() == 10).then(|| super::digest(&format!("recovery {plain}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The code an app shows at `now`.
    fn code(secret: &[u8], now: Wall) -> String {
        let builder = totp_rs::Builder::new().with_secret(secret.to_vec());
        builder.build().unwrap().generate(u64::try_from(now.0 / 1000).unwrap()).to_string()
    }

    #[test]
    fn the_vectors_of_the_standard_hold() {
        let secret = b"12345678901234567890";
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")]
        {
            assert!(step(secret, code, 0, Wall(seconds * 1000)).is_some(), "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn a_code_counts_once_and_only_near_its_time(seconds in 100_i64..4_000_000_000, off in -4_i64..5) {
            let (secret, made) = (secret(), Wall(seconds * 1000));
            let code = code(&secret, made);
            let at = step(&secret, &code, 0, made);
            prop_assert_eq!(at, Some(seconds / 30));
            prop_assert_eq!(step(&secret, &code, seconds / 30, made), None, "used");
            let other = Wall((seconds / 30 + off) * 30_000);
            let near = step(&secret, &code, 0, other) == Some(seconds / 30);
            // Another step may show the same code by chance; then a nearer step is found.
            prop_assert!(near || off.abs() > 1 || step(&secret, &code, 0, other).is_some());
            if off.abs() > 2 {
                prop_assert_ne!(step(&secret, &code, 0, other), Some(seconds / 30));
            }
        }

        #[test]
        fn no_text_makes_it_stumble(code in ".{0,20}", now in any::<i64>()) {
            let _any = step(&secret(), &code, 0, Wall(now));
            let _any = recovery_digest(&code);
        }
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let codes = recovery_codes();
        assert_eq!(codes.len(), RECOVERY);
        let digest = recovery_digest(&codes[0]);
        assert!(digest.is_some());
        assert_eq!(recovery_digest(&codes[0].to_lowercase().replace('-', " ")), digest);
        assert_ne!(recovery_digest(&codes[1]), digest);
        assert_eq!(recovery_digest("123456"), None);
    }

    #[test]
    fn the_uri_holds_no_second_colon() {
        let uri = uri(&[7; 20], "a:b@school.test", "hub.school.test");
        assert!(uri.starts_with("otpauth://totp/Rollcall%20hub%2Eschool%2Etest:a%5Fb%40"), "{uri}");
        assert!(uri.contains("secret=A4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYH&"), "{uri}");
    }
}
