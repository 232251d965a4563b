-- Types: bigint (milliseconds UTC, numbers, 0/1), text (UUIDs, ISO dates, JSON), blob, double.
-- Queries use the subset that PostgreSQL shares; only this folder speaks SQLite.

create table setting (
    name text primary key not null,
    value text not null
) without rowid;

-- Counters that move in the transaction of the change; another process polls them.
create table change (
    name text primary key not null,
    n bigint not null
) without rowid;

-- People who are seen ------------------------------------------------------------------------

create table student (
    id text primary key not null,
    student_number text not null unique,
    first_name text not null,
    last_name text not null,
    email text,
    phone text,
    department text,
    position text,
    year text,
    kind text not null check (kind in ('student', 'staff')),
    is_active bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null
);
create index student_by_name on student (last_name, first_name, id);

-- A ledger: rows are only ever added, the newest counts.
create table consent (
    n integer primary key,
    student text not null references student (id),
    given bigint not null,
    by_whom text not null,
    text_version text not null,
    at bigint not null,
    actor text not null
);
create index consent_by_student on consent (student, n);

create table enrolment (
    id text primary key not null,
    student text not null references student (id),
    model text not null,
    source text not null,
    quality text not null,
    template blob not null,
    is_active bigint not null,
    created_at bigint not null,
    created_by text not null,
    version bigint not null
);
create index enrolment_by_student on enrolment (student, created_at);

-- Classes ------------------------------------------------------------------------------------

create table class (
    id text primary key not null,
    class_name text not null,
    class_code text not null unique,
    room text,
    is_active bigint not null,
    version bigint not null
);

create table roster (
    class text not null references class (id),
    student text not null references student (id),
    verified bigint not null,
    primary key (class, student)
) without rowid;
create index roster_by_student on roster (student, class);

-- Dates are local and inclusive; no end means until further notice.
create table teaches (
    class text not null references class (id),
    teacher text not null references user_account (id),
    from_day text not null,
    to_day text,
    primary key (class, teacher, from_day)
) without rowid;
create index teaches_by_teacher on teaches (teacher, class);

-- Doors --------------------------------------------------------------------------------------

create table device (
    id text primary key not null,
    room text not null,
    location text not null,
    direction text not null check (direction in ('entry', 'exit', 'both')),
    is_active bigint not null,
    online bigint not null,
    boot bigint not null,
    connection bigint not null,
    last_seen bigint,
    software text not null,
    model text not null,
    gallery bigint not null,
    trouble text not null,
    created_at bigint not null,
    version bigint not null
);

create table device_cert (
    serial text primary key not null,
    device text not null references device (id),
    state text not null check (state in ('valid', 'revoked')),
    issued_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint
);
create index device_cert_by_device on device_cert (device);
create index device_cert_revoked on device_cert (state, serial);

create table join_token (
    digest blob primary key not null,
    device text not null references device (id),
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
) without rowid;
create index join_token_by_device on join_token (device);

create table gallery_release (
    device text not null references device (id),
    version bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    people bigint not null,
    blake3 blob not null,
    signed blob not null,
    primary key (device, version)
) without rowid;

-- What doors report --------------------------------------------------------------------------

create table cursor (
    device text not null references device (id),
    epoch blob not null,
    ranges blob not null,
    cum bigint not null,
    max_seq bigint not null,
    updated_at bigint not null,
    primary key (device, epoch)
) without rowid;

-- One row for every record of every kind: what makes twice the same as once.
create table receipt (
    device text not null references device (id),
    epoch blob not null,
    seq bigint not null,
    hash blob not null,
    disposition text not null,
    primary key (device, epoch, seq)
) without rowid;

create table sighting (
    id text primary key not null,
    device text not null references device (id),
    epoch blob not null,
    seq bigint not null,
    boot bigint not null,
    mono bigint not null,
    at bigint,
    at_low bigint,
    at_high bigint,
    clock text not null,
    -- `at`, or else when it came: the order in which people see it.
    order_at bigint not null,
    room text not null,
    direction text not null,
    reasons text not null,
    quality text not null,
    confidence double not null,
    verdict text not null,
    frames bigint not null,
    model text not null,
    gallery bigint not null,
    review_status text not null
        check (review_status in ('pending', 'approved', 'rejected', 'logged')),
    predicted_student text references student (id),
    decided_student text references student (id),
    reviewer text,
    reviewed_at bigint,
    notes text,
    received_at bigint not null,
    version bigint not null
);
create unique index sighting_by_key on sighting (device, epoch, seq);
create index sighting_by_status on sighting (review_status, order_at, id);
create index sighting_by_predicted on sighting (predicted_student, order_at, id);
create index sighting_by_decided on sighting (decided_student, order_at, id);
create index sighting_by_order on sighting (order_at, id);
create index sighting_by_device on sighting (device, order_at, id);

create table candidate (
    sighting text not null references sighting (id),
    rank bigint not null,
    student text not null references student (id),
    score double not null,
    primary key (sighting, rank)
) without rowid;
create index candidate_by_student on candidate (student, sighting);

-- Crop and template of a sighting, sealed by a key of their own; that key is wrapped with the
-- key of the student it counts for.
create table evidence (
    sighting text not null references sighting (id),
    part text not null check (part in ('crop', 'template')),
    student text not null references student (id),
    wrapped blob not null,
    sealed blob not null,
    primary key (sighting, part)
);
create index evidence_by_student on evidence (student);

-- A person ruled it out: `seen` was at the door and is not `other`.
create table cannot_link (
    sighting text primary key not null references sighting (id),
    seen text not null references student (id),
    other text not null references student (id)
) without rowid;

create table health (
    device text not null references device (id),
    epoch blob not null,
    seq bigint not null,
    boot bigint not null,
    since bigint not null,
    until bigint not null,
    at bigint,
    watched_ms bigint not null,
    camera text not null,
    disk_free_mb bigint not null,
    primary key (device, epoch, seq)
) without rowid;
create index health_by_time on health (device, at);

create table anchor (
    device text not null references device (id),
    epoch blob not null,
    seq bigint not null,
    boot bigint not null,
    mono bigint not null,
    wall bigint,
    clock text not null,
    err_ms bigint not null,
    stepped bigint not null,
    primary key (device, epoch, seq)
) without rowid;
create index anchor_by_boot on anchor (device, boot, mono);

create table loss (
    device text not null references device (id),
    epoch blob not null,
    seq bigint not null,
    gone text not null,
    unnumbered bigint not null,
    from_at bigint,
    to_at bigint,
    cause text not null,
    received_at bigint not null,
    primary key (device, epoch, seq)
) without rowid;

create table dead_letter (
    n integer primary key,
    device text not null references device (id),
    epoch blob,
    seq bigint,
    at bigint not null,
    error text not null,
    detail text not null,
    software text not null,
    bytes blob not null,
    replayed_at bigint
);
create index dead_letter_by_device on dead_letter (device, at);

-- People who sign in -------------------------------------------------------------------------

create table user_account (
    id text primary key not null,
    email text not null unique,
    name text not null,
    role text not null check (role in ('admin', 'teacher', 'student')),
    password text,
    student text references student (id),
    is_active bigint not null,
    created_at bigint not null,
    version bigint not null
);

create table login_session (
    digest blob primary key not null,
    account text not null references user_account (id),
    created_at bigint not null,
    seen_at bigint not null
) without rowid;
create index login_session_by_account on login_session (account);

-- A family begins with one login and ends with a logout, or with the reuse of an old token.
create table token_family (
    id text primary key not null,
    account text not null references user_account (id),
    created_at bigint not null,
    ended_at bigint
);
create index token_family_by_account on token_family (account);

create table refresh_token (
    digest blob primary key not null,
    family text not null references token_family (id),
    issued_at bigint not null,
    used_at bigint
) without rowid;
create index refresh_token_by_family on refresh_token (family);

create table setup_code (
    digest blob primary key not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
) without rowid;

-- What a reviewer may take back: the former state of every sighting one step changed.
create table undo_step (
    n integer primary key,
    account text not null,
    at bigint not null,
    former text not null
);
create index undo_step_by_account on undo_step (account, n);

-- The audit chain ----------------------------------------------------------------------------

create table audit (
    n integer primary key,
    at bigint not null,
    actor text not null,
    action text not null,
    target_table text not null,
    target_id text not null,
    meta text not null,
    prev blob not null,
    hash blob not null
);
create trigger audit_is_not_changed before update on audit
begin select raise(abort, 'the audit chain is never changed'); end;
create trigger audit_is_not_deleted before delete on audit
begin select raise(abort, 'the audit chain is never shortened'); end;
