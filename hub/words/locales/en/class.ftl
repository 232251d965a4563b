# Who is in a class, who teaches it, and how it treats what doors say.
class-roster = Roster
class-made = The class is there. Now enter its students, and say who teaches it.
class-saved = Saved.
class-entered = Entered: they are on the roll from now on.
class-left = Taken out of the class; what was recorded of them stays.
class-taught = Saved.
class-over = The class is over: its lessons that lay ahead are gone, what took place stays.
class-again = The class meets again, and its weekly lessons are back.
class-is-over = This class is over. It is in no list any more; its reports stay.
class-open = Let it meet again
class-add = Enter students
class-enter = Enter
class-enter-of = Enter { $name }
class-numbers = Or paste student numbers
class-numbers-hint = One in each line; of a table’s row the first cell counts.
class-enter-all = Enter them all
class-nobody-yet = Not known to Rollcall yet?
class-line = Line
class-line-entered = entered
class-line-there = is in the class already
class-line-unknown = nobody has this number
class-members = Who is in it
class-face = Face
class-face-none = No photo yet
class-face-new = Not verified
class-face-verified = Verified
class-verify = This is their face
class-verify-of = { $name }: This is their face
class-unverify = Take back
class-unverify-of = Take back that the photo of { $name } was verified
class-verify-hint = Verify a face when you saw the photo being taken, or saw a door name the right pupil. Another photo has to be verified anew.
class-verified = The face is verified.
class-unverified = The face is not verified any more.
class-marks = Lessons
class-marks-so-far = { $present } there, { $late } late, { $absent } away
class-marks-none = Not marked yet
class-marked-last = Last marked { $day }
class-none-admin = Enter its students above; then they are on the roll.
class-leave-of = Take out { $name }
class-leave-hint = From now on they are missing on the roll. What was recorded stays.
class-teachers = Who teaches it
class-teachers-none = Nobody teaches it, so only administrators see it.
class-teacher = Teacher
class-teacher-hint = A teacher needs an account first:
class-stop-of = End: { $name } teaches this class
class-rules = Rules of this class
class-says-grace = { $count ->
    [0] Whoever comes after the lesson begins is late.
    [one] Whoever comes more than one minute after the lesson begins is late.
   *[other] Whoever comes more than { $count } minutes after the lesson begins is late.
}
class-says-review = A person decides each passage.
class-says-auto = A sure match from { $line } % on marks at once; look-alikes and poor looks wait for a person. The school accepts that { $budget } in 1,000 name the wrong person.
class-says-counted = { $passages ->
    [0] Nobody has been marked this way yet.
    [one] One passage was marked this way of late; corrected since: { $errors }.
   *[other] Of the last { $passages } passages marked this way, { $errors } were corrected since.
}
class-grace = Minutes of grace
class-grace-hint = Whoever comes within them is not late.
class-policy = What a sure match does
class-policy-hint = Look-alikes and poor looks always wait for a person.
class-policy-review = It waits for a person
class-policy-auto = It marks at once
class-policy-suspended = As it is: a person decides for now
class-line-from = Sure from, per cent
class-line-hint = From 50 to 100; needed to mark at once.
class-budget = Wrong names accepted, of 1,000 passages
class-budget-hint = Needed to mark at once. Beyond it, a person decides again.
class-end = End this class …
class-end-hint = It leaves every list, and its lessons that lie ahead go. Marks and reports stay, and it can meet again.
class-end-now = End this class
class-suspended = Sure matches do not mark { $class } at once any more ({ $ago }): of the last { $passages } passages that were marked without a person, { $errors } were corrected, and the school accepts { $budget } in 1,000. A person decides again.
class-suspended-admin = First look why: at the door’s light and view, at photos that are old, at look-alikes. Then let it mark at once again, or keep deciding by hand.
class-suspended-teacher = Its passages wait for you at the review desk. An administrator can let it mark at once again.
class-resume = Let it mark at once again
