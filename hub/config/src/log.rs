//! What the log says, and how.

/// The log on standard error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// What is logged, as `tracing` filters it; the variable `ROLLCALL_LOG` wins. Default `info`,
    /// and of migrations warnings only.
    pub level: String,
    /// How a line looks; if nothing is said, text on a terminal and JSON elsewhere.
    pub format: Option<LogFormat>,
}

impl Log {
    /// How a line looks where the output is a `terminal`, or is none.
    #[must_use]
    pub fn format(&self, terminal: bool) -> LogFormat {
        let usual = if terminal { LogFormat::Text } else { LogFormat::Json };
        self.format.unwrap_or(usual)
    }
}

/// How a line of the log looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// One JSON object, with the request's id.
    Json,
    /// Words for a terminal.
    Text,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info,refinery_core=warn".into(), format: None }
    }
}
