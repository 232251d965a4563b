//! Where the hub is, and how rumqttc is told to reach it.

use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{LastWill, LastWillProperties};
use rumqttc::{TlsConfiguration, Transport};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;
use wire::link::{PACKET_BYTES, Status};
use wire::topic::Leaf;
use wire::{DeviceId, Message};

/// Publishes on their way at most: the hub's receive maximum. Unset, rumqttc allocates 65,536
/// slots.
const IN_FLIGHT: u16 = 16;
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const CONNECT_S: u64 = 5;
/// A link that comes back within this never was away.
const WILL_DELAY_S: u32 = 10;

/// Where to connect and as whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name in the certificate.
    pub device: DeviceId,
    /// The hub's name or address, as in its certificate.
    pub host: String,
    /// The MQTT listener's port.
    pub port: u16,
    /// The device's certificate, and the hub's authority as the only trusted one.
    pub tls: Arc<ClientConfig>,
}

impl Config {
    /// Options for one connection, with its will.
    pub(super) fn options(&self, boot: u32, connection: u64) -> MqttOptions {
        let mut options = MqttOptions::new(self.device.as_str(), &self.host, self.port);
        let tls = TlsConfiguration::Rustls(Arc::clone(&self.tls));
        let packet = u32::try_from(PACKET_BYTES).ok();
        options
            .set_transport(Transport::Tls(tls))
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_start(true)
            .set_connection_timeout(CONNECT_S)
            .set_receive_maximum(Some(IN_FLIGHT))
            .set_max_packet_size(packet)
            // Left out it means 0, no aliases; said aloud it trips the hub's MQTT core (0.7.9).
            .set_topic_alias_max(None)
            .set_last_will(will(&self.device, boot, connection));
        options.set_outgoing_inflight_upper_limit(IN_FLIGHT);
        options
    }
}

fn will(device: &DeviceId, boot: u32, connection: u64) -> LastWill {
    let status = Status { online: false, connection, boot };
    let properties = LastWillProperties {
        delay_interval: Some(WILL_DELAY_S),
        payload_format_indicator: None,
        message_expiry_interval: None,
        content_type: None,
        response_topic: None,
        correlation_data: None,
        user_properties: vec![],
    };
    let bytes = Message::from(status).encode();
    LastWill::new(Leaf::Status.topic(device), bytes, QoS::AtLeastOnce, true, Some(properties))
}
