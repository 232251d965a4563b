-- Marks whose sighting was swept named it still, and went with the next look at their lesson.
update mark set sighting = null where sighting is not null
    and not exists (select 1 from sighting s where s.id = mark.sighting);
