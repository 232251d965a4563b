-- When a door first showed a certificate: those before it end then.
alter table device_cert add column used_at bigint;

-- A certificate that was shown from two places in turn: somebody copied it.
create table twin (
    serial text primary key not null,
    device text not null references device (id),
    one text not null,
    other text not null,
    first_at bigint not null,
    last_at bigint not null
);
create index twin_by_time on twin (last_at);
