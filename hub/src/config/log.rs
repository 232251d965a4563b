//! What the log says, and how.

/// The log on standard error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// What is logged, as `tracing` filters it; the variable `ROLLCALL_LOG` wins. Default `info`,
    /// and of migrations warnings only.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// One JSON object, with the request's id. The default.
    Json,
    /// Words for a terminal.
    Text,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info,refinery_core=warn".into(), format: LogFormat::Json }
    }
}
