-- Accounts: who they are elsewhere, their second factor, what they prefer.

-- The number a school gives its staff.
alter table user_account add column teacher_id text;
create unique index user_account_by_teacher_id on user_account (teacher_id)
    where teacher_id is not null;
-- An account belongs to one student, and a student has one account.
create unique index user_account_by_student on user_account (student) where student is not null;
create index user_account_by_role on user_account (role, email);
-- Whether the first sign-in elsewhere with this address may take the account over.
alter table user_account add column may_link bigint not null default 0;

-- Who an account is at an OpenID provider.
create table identity (
    issuer text not null,
    subject text not null,
    account text not null references user_account (id),
    linked_at bigint not null,
    primary key (issuer, subject)
) without rowid;
create index identity_by_account on identity (account);

-- The second factor; it counts from `confirmed_at` on. `last_step` is the newest time step whose
-- code was used: no code works twice.
create table totp (
    account text primary key not null references user_account (id),
    sealed blob not null,
    created_at bigint not null,
    confirmed_at bigint,
    last_step bigint not null
) without rowid;

create table recovery_code (
    account text not null references user_account (id),
    digest blob not null,
    used_at bigint,
    primary key (account, digest)
) without rowid;

-- What an account wants: JSON.
create table preference (
    account text primary key not null references user_account (id),
    choices text not null,
    version bigint not null
) without rowid;
