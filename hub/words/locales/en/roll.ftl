# Classes, and the roll of a lesson.
roll-classes = Classes
roll-classes-lead = Today’s roll, the report and photos of each class.
roll-no-class = There is no class yet
roll-no-class-admin = Add the first one below. Then enter its students and its teacher, and plan its lessons under Settings, Timetable.
roll-no-class-teacher = You see your own classes here. Ask an administrator to add you to yours.
roll-add-class = Add a class
roll-class-name = Name
roll-class-code = Code
roll-class-room = Usual room
roll-students = { $count ->
    [one] 1 student
   *[other] { $count } students
}
roll-hours = { $from }–{ $to }
roll-now = Now, { $hours }
roll-next = Next today: { $hours }
roll-none-today = No more lessons today
roll-today = Today’s roll
roll-report = Report
roll-photo = Class photo
roll-more = Show more classes
roll-of-class = Pages of this class
roll-lessons = Lessons of this day
roll-runs = now
roll-counts = How many
roll-waits = Seen, waits for you
roll-by-hand = Marked by { $name } at { $time }
roll-said = Marked by hand at { $time }
roll-at-door = Came in at { $time }
roll-at-door-sometime = Seen at the door, time unknown
roll-on-photo = On a class photo
roll-elsewhere = Seen at { $place } at { $time }
roll-left = Left by { $place } at { $time }
roll-decide = Decide
roll-undo = Undo
roll-stands = { $name }: { $state }
roll-faster = Somebody was faster. { $now }. Look again before you change it.
roll-failed = The hub did not answer, so nothing was marked. Try again.
roll-not-here = This student is not in this class any more.
roll-from-photo = { $count ->
    [one] 1 student was marked present from the photo. The photo is gone.
   *[other] { $count } students were marked present from the photo. The photo is gone.
}
roll-closed = Closed at { $time }
roll-to-come = Has not begun yet
roll-open = Open
roll-close = Close the lesson
roll-open-again = Open it again
roll-live = Live
roll-reconnecting = Reconnecting …
roll-nobody = Nobody is in this class
roll-nobody-admin = Enter its students into the roster; then they are on the roll.
roll-nobody-teacher = Ask an administrator to enter its students.
roll-no-lesson = No lesson today
roll-no-lesson-lead = The timetable has none for this class today. If you hold one anyway, start it now: doors and photos then count for it.
roll-start = Start a lesson now
roll-unknown = { $count ->
    [one] No door can recognise this student. Tick them if they are here.
   *[other] No door can recognise these { $count } students. Tick who is here.
}
roll-tick = { $name } is here
roll-tick-present = Mark as present
