-- Of each sign-in: whether its person proved once more who they are since it began.
alter table login_session add column again bigint not null default 0;
alter table token_family add column again bigint not null default 0;

-- What opened an account and does no more: `what` is its id, or its account's.
create table shut (
    kind text not null,
    what text not null,
    at bigint not null,
    primary key (kind, what)
) without rowid;
create index shut_by_time on shut (at);

-- Whoever owns an account hears by mail what changed about it; of a new address the old one too.
create trigger outgoing_account_password after update of password on user_account
when new.password is not old.password
begin insert into outgoing (event, a) values ('account.password', new.id); end;

create trigger outgoing_account_address after update of email on user_account
when new.email <> old.email and new.email <> 'erased-' || new.id
begin insert into outgoing (event, a, b) values ('account.address', new.id, old.email); end;

create trigger outgoing_account_codes_on after update of confirmed_at on totp
when old.confirmed_at is null and new.confirmed_at is not null
begin insert into outgoing (event, a) values ('account.codes-on', new.account); end;

create trigger outgoing_account_codes_off after delete on totp
when old.confirmed_at is not null
begin insert into outgoing (event, a) values ('account.codes-off', old.account); end;

create trigger outgoing_account_passkey_new after insert on passkey
begin insert into outgoing (event, a) values ('account.passkey-new', new.account); end;

create trigger outgoing_account_passkey_gone after delete on passkey
begin insert into outgoing (event, a) values ('account.passkey-gone', old.account); end;

create trigger outgoing_account_signed_out after insert on audit
when new.action = 'end-sign-ins' and new.target_table = 'user_account' and new.actor <> new.target_id
begin insert into outgoing (event, a) values ('account.signed-out', new.target_id); end;

-- Such mail is of a kind of its own.
create table mail_to_accounts (
    id text primary key not null,
    kind text not null check (kind in ('absence', 'low_attendance', 'policy', 'account', 'custom')),
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
insert into mail_to_accounts select id, kind, about, student, recipient, subject, body, state,
    attempts, next_at, created_at, created_by, ended_at, error from mail;
drop table mail;
alter table mail_to_accounts rename to mail;
create index mail_waiting on mail (next_at, id) where state = 'waiting';
create index mail_by_student on mail (student, id);
create index mail_by_state on mail (state, id);
create index mail_by_end on mail (ended_at) where ended_at is not null;
