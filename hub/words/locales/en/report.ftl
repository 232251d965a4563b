# The report of a class.
report-attended = Attendance { $rate }
report-of-lessons = { $count ->
    [one] 1 lesson
   *[other] { $count } lessons
}
report-from-day = from { $day }
report-to-day = to { $day }
report-days = Which days
report-from = From
report-to = To
report-show = Show
report-take = Take it away:
report-print = To print it, use your browser’s print command.
report-no-lesson = No lesson in these days
report-no-lesson-lead = Choose other days, or start a lesson on today’s roll. Lessons of the timetable appear by themselves.
report-risk = Below 75 per cent
report-no-risk = Nobody. Everybody attended at least three lessons in four.
report-missed = missed { $absent } of { $of }
report-more-risk = And { $count } more; the register below shows them all.
report-trend = Trend
report-months = Months
report-day = Day
report-month = Month
report-there = There
report-counted = Counted
report-rate = Rate
report-as-table = As a table
report-nothing-counts = Nothing that counts is recorded yet.
report-register = Register
report-left-out = The rate leaves out the last three.
report-lessons = Lessons
report-students = Students
report-before = Before
report-after = After
report-name = Name
report-no-mark = Nothing recorded
report-by-hand = { $mark }, set by a person
