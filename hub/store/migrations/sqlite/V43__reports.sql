-- Reports lie in the order in which they came, and have one index: a report of an idle door then
-- changes few pages.
create table report (
    n integer primary key,
    device text not null references device (id),
    epoch blob not null,
    seq bigint not null,
    boot bigint not null,
    since bigint not null,
    until bigint not null,
    at bigint,
    at_high bigint not null default 0,
    watched_ms bigint not null,
    camera text not null,
    disk_free_mb bigint not null,
    usable_ms bigint,
    blind text,
    gallery bigint,
    model text,
    fired bigint,
    looks bigint,
    dropped bigint,
    refused bigint,
    err_ms bigint
);
insert into report (device, epoch, seq, boot, since, until, at, at_high, watched_ms, camera,
        disk_free_mb, usable_ms, blind, gallery, model, fired, looks, dropped, refused, err_ms)
    select device, epoch, seq, boot, since, until, at, at_high, watched_ms, camera,
        disk_free_mb, usable_ms, blind, gallery, model, fired, looks, dropped, refused, err_ms
    from health order by at_high, device, seq;
drop table health;
alter table report rename to health;
create index health_by_time on health (device, at);
