# The review desk.
review-title = Review
review-heading = Who came in?
review-waiting = { $count ->
    [one] { $count } person waits
   *[other] { $count } people wait
}
review-connecting = Connecting …
review-live = Live
review-lost = Reconnecting …
review-keys = Keys
review-undo = Undo
review-more = Show the next ones
review-line = Less sure from here on: look closely
review-sure = { $count ->
    [one] Approve the one that is sure
   *[other] Approve the { $count } that are sure
}
review-other-lesson = Another class’s lesson
review-crop = The face as the door saw it
review-no-crop = No picture was kept
review-nobody = Nobody we know
review-percent = { $count } %
review-number = No. { $number }
review-why = Why it waits for you
review-or = Or was it
review-approve = Approve
review-approve-name = Approve { $name }
review-reject = Reject
review-reject-name = Reject { $name }
review-rest = More answers
review-rest-name = More answers: somebody else, or nobody
review-unknown = Nobody we know
review-never = Not this person, never again
review-else = Somebody else …
review-who = Who was it?
review-search = Name or number
review-search-go = Search
review-found = People found
review-found-nobody = Nobody called “{ $text }” was found.
review-back = Back to the desk
review-approved = Approved: { $name }
review-approved-sure = { $count ->
    [one] { $count } person approved
   *[other] { $count } people approved
}
review-rejected = Rejected: not { $name }
review-ruled-out = Not { $name }, never again
review-is-unknown = Rejected: nobody we know
review-waits = { $name } waits again
review-wait-again = { $count ->
    [one] { $count } person waits again
   *[other] { $count } people wait again
}
review-somebody = Somebody
review-was-approved = { $by } has already approved this as { $name }
review-was-rejected = { $by } has already rejected this
review-faster = Somebody else was faster. The card says who.
review-silent = The hub did not answer, so nothing was decided. Try again.
review-gone = This is no longer there for you to decide.
review-nothing = There is nothing to undo.
review-late = This can no longer be undone: it was decided again since.
review-none-sure = Nobody in this group is sure enough to be approved together.
review-keys-title = By key
review-key-move = next, previous
review-key-approve = approve: it was the person named
review-key-reject = reject: it was not
review-key-pick = it was this candidate (1 is the person named)
review-key-else = it was somebody else: search
review-key-unknown = it was nobody we know
review-key-never = not this person, and never again: the doors remember it
review-key-sure = approve all of this group who are sure
review-key-undo = undo, up to 100 steps
review-key-help = this help
review-keys-on = Use these keys
review-close = Close
review-no-people = Nobody is enrolled yet
review-no-people-next = A door can only recognise people it knows. Add the first person with one photo.
review-add-people = Add people
review-no-door = No door is joined yet
review-no-door-next = Add a door and run the command it gives you on the unit; whoever passes it comes here.
review-add-door = Add a door
review-no-class = You have no class yet
review-no-class-next = You see the people of your classes here. Ask an administrator to add you to yours.
review-all-decided = Everybody is decided
review-all-decided-next = Nothing waits for you. Whoever passes a door next appears here by itself.
