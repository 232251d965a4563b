//! Every fault that doctor knows, by a name that stays: docs/DOOR.md has the table of them.

macro_rules! ailments {
    ($($ailment:ident $name:literal of $what:literal)*) => {
        /// A fault by its name. Names stay: programs may look for them in `doctor --json`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Ailment {
            $(#[doc = $name] $ailment,)*
        }

        impl Ailment {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$ailment,)*];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$ailment => $name,)* }
            }

            /// What has it, in a word.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$ailment => $what,)* }
            }
        }
    };
}

ailments! {
    SettingsWrong "settings-wrong" of "settings"
    LineTwice "line-twice" of "settings"
    NothingLooks "nothing-looks" of "settings"
    DataMissing "data-missing" of "data"
    DataReadOnly "data-read-only" of "data"
    DataRefused "data-refused" of "data"
    DataFull "data-full" of "data"
    OwnerRoot "owner-root" of "owner"
    OwnerOther "owner-other" of "owner"
    DiskShort "disk-short" of "disk"
    Hot "hot" of "heat"
    SupplySags "supply-sags" of "power"
    Slowed "slowed" of "power"
    MemoryShort "memory-short" of "memory"
    ClockUnset "clock-unset" of "clock"
    ClockFar "clock-far" of "clock"
    ModelMissing "model-missing" of "model"
    ModelDamaged "model-damaged" of "model"
    GalleryNone "gallery-none" of "gallery"
    GalleryLease "gallery-lease" of "gallery"
    GalleryKey "gallery-key" of "gallery"
    GalleryModel "gallery-model" of "gallery"
    GalleryOld "gallery-old" of "gallery"
    CameraMissing "camera-missing" of "camera"
    CameraBusy "camera-busy" of "camera"
    CameraRefused "camera-refused" of "camera"
    CameraStrange "camera-strange" of "camera"
    CameraSilent "camera-silent" of "camera"
    ProgramMissing "program-missing" of "camera"
    ProgramEnds "program-ends" of "camera"
    ProgramNoPicture "program-no-picture" of "camera"
    PicturesMissing "pictures-missing" of "camera"
    FramesDamaged "frames-damaged" of "picture"
    LensCovered "lens-covered" of "picture"
    PictureFrozen "picture-frozen" of "picture"
    PictureDark "picture-dark" of "picture"
    PictureSoft "picture-soft" of "picture"
    PictureSmall "picture-small" of "picture"
    NoPi "no-pi" of "gpio"
    GpioRefused "gpio-refused" of "gpio"
    LineMissing "line-missing" of "gpio"
    LineUnwatched "line-unwatched" of "gpio"
    InvitationHalf "invitation-half" of "invitation"
    IdentityMissing "identity-missing" of "identity"
    IdentityRefused "identity-refused" of "identity"
    IdentityDamaged "identity-damaged" of "identity"
    CertificateEnded "certificate-ended" of "certificate"
    CertificateSoon "certificate-soon" of "certificate"
    CertificateKept "certificate-kept" of "certificate"
    NameUnknown "name-unknown" of "dns"
    HubClosed "hub-closed" of "hub"
    HubStranger "hub-stranger" of "hub"
    HubOtherName "hub-other-name" of "hub"
    HubTime "hub-time" of "hub"
    HubRefuses "hub-refuses" of "hub"
    HubNoTls "hub-no-tls" of "hub"
    HubNewer "hub-newer" of "link"
    LinkDown "link-down" of "link"
    DaemonRefuses "daemon-refuses" of "daemon"
    DaemonStuck "daemon-stuck" of "daemon"
    Restarts "restarts" of "restarts"
    OutboxStuck "outbox-stuck" of "outbox"
    OutboxFull "outbox-full" of "outbox"
    OutboxWaits "outbox-waits" of "outbox"
    TooSlow "too-slow" of "pace"
    UpdateGivenUp "update-given-up" of "update"
}
