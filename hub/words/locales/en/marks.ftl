# What is recorded of a student in a lesson: on the roll, in reports, on a person's page.
roll-present = Present
roll-late = Late
roll-absent = Absent
roll-excused = Excused
roll-unverified = Unverified: no door could tell
roll-undecided = Undecided: nobody looked in time
roll-nothing = Nothing yet
roll-count-present = { $count } present
roll-count-late = { $count } late
roll-count-absent = { $count } absent
roll-count-excused = { $count } excused
roll-count-unverified = { $count } unverified
roll-count-undecided = { $count } undecided
roll-count-nothing = { $count } open

report-present = Present
report-late = Late
report-absent = Absent
report-excused = Excused
report-unverified = Unverified: the door was not watched
report-undecided = Undecided
report-letter-present = P
report-letter-late = L
report-letter-absent = A
report-letter-excused = E
report-letter-unverified = ?
report-letter-undecided = …

people-mark-present = present
people-mark-late = late
people-mark-absent = absent
people-mark-excused = excused
people-mark-unverified = not verified
people-mark-undecided = not decided
