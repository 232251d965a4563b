-- Passkeys of accounts: public halves of keys that a phone, a laptop or a stick keeps. `key` is
-- the public key, `state` its counter and whether it is backed up, as the library encodes them.
create table passkey (
    id text primary key not null,
    account text not null references user_account (id),
    credential blob not null,
    name text not null,
    key blob not null,
    state blob not null,
    created_at bigint not null,
    used_at bigint
) without rowid;
create unique index passkey_by_credential on passkey (credential);
create index passkey_by_account on passkey (account);
