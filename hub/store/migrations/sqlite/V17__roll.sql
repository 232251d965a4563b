-- What a person's word about a student replaced, so that it can be taken back: JSON, `null` where
-- nothing counted by itself before. No value: this mark is no person's word.
alter table mark add column former text;
