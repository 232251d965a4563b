-- Consent withdrawn, people erased, what ends by itself, backups, and what leaves the house.

-- Set where the row stays, without a name, because marks count with it.
alter table student add column erased_at bigint;

-- Keys whose data is gone. The row is written with the data's end and goes with the key's, so
-- that a start after a crash knows what is left to do.
create table key_to_erase (
    student text primary key not null,
    since bigint not null
) without rowid;

create table erasure (
    id text primary key not null,
    student text not null unique,
    asked_at bigint not null,
    asked_by text not null,
    reason text not null check (reason in ('asked', 'left')),
    -- What went, counted: JSON.
    gone text not null,
    row_kept bigint not null,
    key_erased_at bigint,
    released_at bigint,
    done_at bigint
);
create index erasure_open on erasure (asked_at) where done_at is null;

-- The release with which a door has forgotten the person, and its word that it runs it.
create table erasure_door (
    erasure text not null references erasure (id),
    device text not null references device (id),
    release bigint not null,
    -- From then on the door has forgotten everybody, heard of or not.
    lease_ends bigint not null,
    confirmed_at bigint,
    -- BLAKE3 of the manifest the door says it runs.
    manifest blob,
    primary key (erasure, device)
) without rowid;
create index erasure_door_open on erasure_door (device, release) where confirmed_at is null;

-- The audit chain, for whoever looks something up ---------------------------------------------

create index audit_by_target on audit (target_table, target_id, n);
create index audit_by_actor on audit (actor, n);
create index audit_by_action on audit (action, n);
create index audit_by_time on audit (at, n);

-- Where the chain stood at the end of a day, signed.
create table audit_head (
    day text primary key not null,
    n bigint not null,
    hash blob not null,
    at bigint not null,
    signature blob not null
) without rowid;

-- What ends by itself ------------------------------------------------------------------------

create index health_by_at on health (at);
create index loss_by_received on loss (received_at);
create index anchor_by_wall on anchor (wall);
create index dead_letter_by_at on dead_letter (at, n);
create index undo_step_by_at on undo_step (at);
create index student_left on student (updated_at) where is_active = 0 and erased_at is null;

-- `1..=cum` of this outbox are in a backup.
create table backed_up (
    device text not null,
    epoch blob not null,
    cum bigint not null,
    at bigint not null,
    primary key (device, epoch)
) without rowid;

-- What leaves the house ----------------------------------------------------------------------

create table mail (
    id text primary key not null,
    kind text not null check (kind in ('absence', 'low_attendance', 'custom')),
    -- Nothing is said twice.
    about text unique,
    student text,
    recipient text not null,
    subject text not null,
    body text not null,
    state text not null check (state in ('waiting', 'sent', 'failed')),
    attempts bigint not null,
    next_at bigint not null,
    created_at bigint not null,
    created_by text not null,
    ended_at bigint,
    error text
);
create index mail_waiting on mail (next_at, id) where state = 'waiting';
create index mail_by_student on mail (student, id);
create index mail_by_state on mail (state, id);
create index mail_by_end on mail (ended_at) where ended_at is not null;

-- What a teacher does not want to be sent to the families of their classes.
create table mail_switch (
    account text not null references user_account (id),
    kind text not null,
    is_on bigint not null,
    primary key (account, kind)
) without rowid;

create table webhook (
    id text primary key not null,
    url text not null,
    -- Names of events, separated by spaces; empty for all.
    events text not null,
    -- Sealed with the hub's key.
    secret blob not null,
    is_active bigint not null,
    failing_since bigint,
    disabled_at bigint,
    created_at bigint not null,
    created_by text not null,
    version bigint not null
);

create table webhook_message (
    id text primary key not null,
    webhook text not null references webhook (id),
    event text not null,
    body text not null,
    state text not null check (state in ('waiting', 'sent', 'failed')),
    attempts bigint not null,
    next_at bigint not null,
    created_at bigint not null,
    ended_at bigint,
    status bigint,
    error text
);
create index webhook_message_waiting on webhook_message (next_at, id) where state = 'waiting';
create index webhook_message_by_hook on webhook_message (webhook, id);
create index webhook_message_by_end on webhook_message (ended_at) where ended_at is not null;
