-- What was wrong with doors, from when until when: an alert that has not ended is open. `began_in`
-- and `ended_in` are the looks at all doors in which that was told.
create table door_alert (
    id text primary key not null,
    device text not null references device (id),
    kind text not null,
    since bigint not null,
    until bigint,
    began_in text not null,
    ended_in text
);
create unique index door_alert_open on door_alert (device, kind) where until is null;
create index door_alert_by_device on door_alert (device, id);
create index door_alert_by_end on door_alert (until) where until is not null;
create index door_alert_by_began on door_alert (began_in);
create index door_alert_by_ended on door_alert (ended_in) where ended_in is not null;

-- Programs are told of each, people of a whole look at once.
create trigger outgoing_alert_began after insert on door_alert
begin
    insert into outgoing (event, a, b)
        select 'door.alert', new.id, new.kind || ' ' || new.device
        where exists (select 1 from webhook where is_active = 1);
    insert into outgoing (event, a) select 'door.alerts', new.began_in
        where not exists (select 1 from outgoing where event = 'door.alerts' and a = new.began_in);
end;

create trigger outgoing_alert_ended after update of until on door_alert
when old.until is null and new.until is not null
begin
    insert into outgoing (event, a, b)
        select 'door.alert_ended', new.id, new.kind || ' ' || new.device
        where exists (select 1 from webhook where is_active = 1);
    insert into outgoing (event, a) select 'door.alerts', new.ended_in
        where not exists (select 1 from outgoing where event = 'door.alerts' and a = new.ended_in);
end;

-- Such mail is of a kind of its own.
create table mail_of_alerts (
    id text primary key not null,
    kind text not null
        check (kind in ('absence', 'low_attendance', 'policy', 'account', 'alerts', 'custom')),
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
insert into mail_of_alerts select id, kind, about, student, recipient, subject, body, state,
    attempts, next_at, created_at, created_by, ended_at, error from mail;
drop table mail;
alter table mail_of_alerts rename to mail;
create index mail_waiting on mail (next_at, id) where state = 'waiting';
create index mail_by_student on mail (student, id);
create index mail_by_state on mail (state, id);
create index mail_by_end on mail (ended_at) where ended_at is not null;
