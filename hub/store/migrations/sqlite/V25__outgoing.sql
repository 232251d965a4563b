-- What others are to be told follows from rows, and is noted in the transaction that changes them,
-- by the database itself: no writer can forget it, and a crash loses nothing. `a` and `b` are ids.
create table outgoing (
    n integer primary key,
    event text not null,
    a text not null,
    b text
);
create index outgoing_by_about on outgoing (event, a);

-- Mail about absences follows from the end of a lesson, whether there are webhooks or not.
create trigger outgoing_session_closed after update of closed_at on session
when old.closed_at is null and new.closed_at is not null
begin insert into outgoing (event, a) values ('session.closed', new.id); end;

create trigger outgoing_mark_new after insert on mark
when new.source <> 'close' and exists (select 1 from webhook where is_active = 1)
begin insert into outgoing (event, a, b) values ('attendance.marked', new.session, new.student); end;

create trigger outgoing_mark_changed after update of version on mark
when new.version <> old.version and new.source <> 'close'
    and exists (select 1 from webhook where is_active = 1)
begin insert into outgoing (event, a, b) values ('attendance.marked', new.session, new.student); end;

create trigger outgoing_mark_gone after delete on mark
when old.source <> 'close' and exists (select 1 from webhook where is_active = 1)
    and exists (select 1 from student where id = old.student and erased_at is null)
begin insert into outgoing (event, a, b) values ('attendance.marked', old.session, old.student); end;

create trigger outgoing_sighting_new after insert on sighting
when new.review_status in ('pending', 'approved')
    and exists (select 1 from webhook where is_active = 1)
begin
    insert into outgoing (event, a) values
        (case new.review_status when 'pending' then 'sighting.pending' else 'sighting.decided' end, new.id);
end;

create trigger outgoing_sighting_decided after update of reviewed_at on sighting
when new.reviewed_at is not old.reviewed_at and exists (select 1 from webhook where is_active = 1)
begin
    insert into outgoing (event, a, b) values ('sighting.decided', new.id, new.reviewer);
    insert into outgoing (event, a) select 'sighting.pending', new.id where new.review_status = 'pending';
end;

create trigger outgoing_class_suspended after update of suspended_at on class
when new.suspended_at is not null and new.suspended_at is not old.suspended_at
    and exists (select 1 from webhook where is_active = 1)
begin insert into outgoing (event, a) values ('class.suspended', new.id); end;

-- What changes often is told once for all that waits.
create trigger outgoing_device_new after insert on device
when exists (select 1 from webhook where is_active = 1)
begin insert into outgoing (event, a) values ('device.changed', new.id); end;

create trigger outgoing_device_changed after update on device
when (new.online <> old.online or new.is_active <> old.is_active or new.version <> old.version
        or new.gallery <> old.gallery or new.model <> old.model or new.trouble <> old.trouble)
    and exists (select 1 from webhook where is_active = 1)
    and not exists (select 1 from outgoing where event = 'device.changed' and a = new.id)
begin insert into outgoing (event, a) values ('device.changed', new.id); end;

create trigger outgoing_gallery_changed after update on change
when new.name = 'gallery' and exists (select 1 from webhook where is_active = 1)
    and not exists (select 1 from outgoing where event = 'gallery.changed')
begin insert into outgoing (event, a) values ('gallery.changed', ''); end;

create trigger outgoing_gallery_first after insert on change
when new.name = 'gallery' and exists (select 1 from webhook where is_active = 1)
begin insert into outgoing (event, a) values ('gallery.changed', ''); end;

-- Lessons were gone through for absences in the order in which they were closed.
drop index session_by_closed;
delete from setting where name = 'mail_closed_until';
