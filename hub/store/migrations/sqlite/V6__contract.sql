-- Answers to writes that carried an Idempotency-Key, for a day. The key is kept as a digest, and
-- the answer is sealed with a key made from it: only who repeats the request can read it.

create table idempotency (
    account text not null,
    key blob not null,
    route text not null,
    hash blob not null,
    -- None while the first request is still being answered.
    answer blob,
    created_at bigint not null,
    primary key (account, key, route)
) without rowid;
create index idempotency_by_time on idempotency (created_at);
