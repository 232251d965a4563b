//! Why a connection ends, in the reason codes of MQTT 5 and in words for the log.

use mqtt_protocol_core::mqtt::result_code::{ConnectReasonCode, DisconnectReasonCode, MqttError};

/// Why a connection is refused or ended by the hub.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MqttRefusal {
    /// The client id is not the certificate's name.
    #[error("it gave a client id other than its certificate's name")]
    ClientId,
    /// The will is not the device's own offline status.
    #[error("its will is not its own offline status")]
    Will,
    /// A topic that is not this device's to use.
    #[error("it used a topic that is not its own")]
    Topic,
    /// A wildcard, shared or `$` subscription.
    #[error("it subscribed to more than exact topics")]
    Wildcard,
    /// RETAIN where it does not belong, or missing where it does.
    #[error("the retain flag does not fit the topic")]
    Retain,
    /// Everything a device sends has quality of service 1.
    #[error("it did not use quality of service 1")]
    Qos,
    /// Topic aliases are off.
    #[error("it used a topic alias")]
    Alias,
    /// More bytes than the topic may carry, or none.
    #[error("the payload is empty or too large for its topic")]
    Payload,
    /// Not MQTT 5, or broken.
    #[error("it does not speak MQTT 5 correctly ({0:?})")]
    Protocol(MqttError),
    /// Silent for longer than its keep-alive, or too slow inside a packet.
    #[error("it was silent or slow for too long")]
    Silent,
    /// Another connection of the same device came.
    #[error("a newer connection of the same device took over")]
    TakenOver,
    /// Its certificate was revoked.
    #[error("its certificate was revoked")]
    Revoked,
    /// Its certificate ended.
    #[error("its certificate ended")]
    Expired,
    /// The hub stops.
    #[error("the hub is stopping")]
    Stopping,
    /// The hub cannot store anything now.
    #[error("the hub cannot store anything now")]
    Busy,
}

impl MqttRefusal {
    /// What DISCONNECT says.
    #[must_use]
    pub fn disconnect(&self) -> DisconnectReasonCode {
        use DisconnectReasonCode as Code;
        match self {
            Self::ClientId | Self::Will | Self::Topic => Code::NotAuthorized,
            Self::Wildcard => Code::WildcardSubscriptionsNotSupported,
            Self::Retain => Code::RetainNotSupported,
            Self::Qos => Code::QosNotSupported,
            Self::Alias => Code::TopicAliasInvalid,
            Self::Payload => Code::PacketTooLarge,
            Self::Protocol(_) => Code::ProtocolError,
            Self::Silent => Code::KeepAliveTimeout,
            Self::TakenOver => Code::SessionTakenOver,
            Self::Revoked => Code::AdministrativeAction,
            Self::Expired => Code::MaximumConnectTime,
            Self::Stopping => Code::ServerShuttingDown,
            Self::Busy => Code::ServerBusy,
        }
    }

    /// What CONNACK says, before there is a connection.
    #[must_use]
    pub fn connack(&self) -> ConnectReasonCode {
        match self {
            Self::ClientId => ConnectReasonCode::ClientIdentifierNotValid,
            Self::Will | Self::Topic => ConnectReasonCode::NotAuthorized,
            Self::Revoked => ConnectReasonCode::Banned,
            Self::Stopping | Self::Busy => ConnectReasonCode::ServerBusy,
            _ => ConnectReasonCode::ProtocolError,
        }
    }

    /// Whether no honest device does this.
    #[must_use]
    pub fn is_suspicious(&self) -> bool {
        !matches!(self, Self::Silent | Self::Expired | Self::Stopping | Self::Busy)
    }
}
