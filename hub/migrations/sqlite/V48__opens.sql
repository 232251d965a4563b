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
